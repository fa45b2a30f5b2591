//! A development server serves users.

use crate::model::{Finding, Kind, Recommendation, Severity};
use crate::rules::Rule;
use crate::scene::log::line;
use crate::scene::{ContainerView, Role, Scene};

/// See [`Rule::docs`].
pub static RULE: Rule = Rule {
    id: "dev-server",
    category: "dev_server",
    summary: "detects development servers that run in a cluster: Flask, Django, Vite, Next.js, webpack",
    docs: "\
## What it means
The container runs the server that a framework brings for development. It serves few requests at a time, reloads itself, \
shows its insides on errors, and its makers warn against it.

## How it is detected
The log holds the framework's own banner, or the container's command starts the server. This is advice, never a cause.

## What to do
Start the program with a production server: gunicorn or uvicorn for Python, the framework's build and start commands for \
JavaScript.",
    severity: Severity::Info,
    needs: &[Kind::Pod],
    uses: &[],
    explains: &[],
    check,
};

/// A banner stands at the start of a log.
const HEAD: usize = 64 * 1024;

fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let apps = scene.containers().filter(|container| container.role == Role::App && container.running().is_some());
    apps.filter_map(dev_server).collect()
}

fn dev_server(container: ContainerView<'_>) -> Option<Finding> {
    let (path, value, server) = banner(container).or_else(|| command(container))?;
    let message = format!("{} serves with {server}, which is made for development", container.phrase());
    let finding = RULE
        .finding(container.subject(), message)
        .because(container.pod_ref(), path, value)
        .affects(container.pod_ref());
    Some(
        finding
            .confidence(0.9)
            .recommend(Recommendation::new("fix-program", "start it with a production server instead")),
    )
}

/// Finds a framework's own banner.
fn banner(container: ContainerView<'_>) -> Option<(String, String, &'static str)> {
    let known = [
        ("WARNING: This is a development server", "Flask's development server"),
        ("Starting development server at", "Django's development server"),
        ("webpack-dev-server", "webpack's development server"),
        ("[webpack-dev-server]", "webpack's development server"),
        ("next dev", "Next.js in development mode"),
        ("VITE v", "Vite's development server"),
        ("Angular Live Development Server", "Angular's development server"),
    ];
    let text = container.logs()?.current.as_ref()?.text;
    let mut end = text.len().min(HEAD);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let (at, server) = known.iter().find_map(|(words, server)| Some((head.find(words)?, *server)))?;
    let number = head[..at].matches('\n').count() + 1;
    let shown = head.lines().nth(number - 1).map(line::shown)?;
    Some((format!("log[{}]:{number}", container.name()), shown, server))
}

/// Finds a command that starts one.
fn command(container: ContainerView<'_>) -> Option<(String, String, &'static str)> {
    let known = [
        ("manage.py runserver", "Django's development server"),
        ("flask run", "Flask's development server"),
        ("npm run dev", "`npm run dev`"),
        ("yarn dev", "`yarn dev`"),
        ("pnpm dev", "`pnpm dev`"),
        ("next dev", "Next.js in development mode"),
        ("ng serve", "Angular's development server"),
        ("webpack serve", "webpack's development server"),
    ];
    let line = container.command_line().join(" ");
    let (_, server) = known.iter().find(|(words, _)| line.contains(words))?;
    Some((container.spec_path("command"), line::shown(&line), server))
}
