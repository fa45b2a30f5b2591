//! What a container's log testifies: the run that matters, and which of its complaints still count.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::batch::v1::Job;

use crate::model::store::HasMeta as _;
use crate::model::{Finding, Severity, State};
use crate::scene::log::{Decisive, Template, line};
use crate::scene::pods::owners;
use crate::scene::{ContainerView, Crash, LogDigest, PodView, Scene};

/// A complaint of a running program counts as present for this long, by the log's own clock.
const FRESH: SignedDuration = SignedDuration::from_mins(10);

/// Without a clock, the lines at the end of a log that count as present.
const TAIL: usize = 40;

/// A crash is explained by what the log said near its end.
const LAST_WORDS: usize = 150;

/// A complaint of a running program that is made as often as this is no accident.
const REPEATED: usize = 3;

/// The log of a container's run: of the one that crashed, else of the one that is up.
#[derive(Clone, Copy, Debug)]
pub struct Testimony<'s> {
    pub container: ContainerView<'s>,
    /// The crash that the log led to; `None` if the program runs.
    pub crash: Option<Crash<'s>>,
    pub log: &'s LogDigest<'s>,
    /// Whether it is the one to judge by; a crash loop may have the log of another run, which tells more.
    pub is_primary: bool,
}

/// Iterates over the logs of all containers in scope that crashed or run and wrote something.
pub fn testimonies<'s>(scene: &'s Scene<'s>) -> impl Iterator<Item = Testimony<'s>> {
    scene
        .suspect_containers()
        .filter_map(Testimony::of)
        .flat_map(|testimony| std::iter::once(testimony).chain(testimony.other_run()))
}

impl<'s> Testimony<'s> {
    /// Returns a container's testimony; `None` if it wrote nothing, or if what happened to it is settled.
    pub fn of(container: ContainerView<'s>) -> Option<Self> {
        if is_settled(container.pod) {
            return None;
        }
        let crash = container.crash().filter(|crash| crash.state == State::Present);
        if crash.is_some() {
            return Some(Self { container, crash, log: container.crash_log()?, is_primary: true });
        }
        container.running()?;
        let log = container.logs()?.current.as_ref().filter(|log| !log.is_empty())?;
        Some(Self { container, crash: None, log, is_primary: true })
    }

    /// Returns the testimony of the crash loop's other run: the one before, or the one that is up for the moment.
    fn other_run(self) -> Option<Self> {
        self.crash?;
        let logs = self.container.logs()?;
        let other = [&logs.current, &logs.previous]
            .into_iter()
            .flatten()
            .find(|log| !std::ptr::eq(*log, self.log) && !log.is_empty())?;
        (other.text != self.log.text).then_some(Self { log: other, is_primary: false, ..self })
    }

    /// Returns the path of a line: `log.previous[main]:12`.
    pub fn path(&self, number: usize) -> String {
        let previous = self.container.logs().and_then(|logs| logs.previous.as_ref());
        let is_previous = previous.is_some_and(|previous| std::ptr::eq(previous, self.log));
        let run = if is_previous { "log.previous" } else { "log" };
        format!("{run}[{}]:{number}", self.container.name())
    }

    /// Iterates over the complaints that count: near the end of a crash; repeated and fresh in what runs.
    pub fn complaints(&self) -> impl Iterator<Item = &'s Template<'s>> {
        let (log, this) = (self.log, *self);
        log.templates.iter().filter(move |template| this.counts(template))
    }

    fn counts(&self, template: &Template<'_>) -> bool {
        match self.crash {
            Some(_) => template.last_number + LAST_WORDS >= self.log.count || self.is_decisive(template),
            None => template.count >= REPEATED && self.is_fresh(template),
        }
    }

    fn is_decisive(&self, template: &Template<'_>) -> bool {
        let chosen = [self.log.decisive, self.log.cause];
        chosen.iter().flatten().any(|line| line.number == template.number || line.number == template.last_number)
    }

    /// Returns whether a complaint was made lately: by the log's clock if it is a real one, else by its place.
    pub fn is_fresh(&self, template: &Template<'_>) -> bool {
        match template.last_time().filter(|time| self.is_real(*time)) {
            Some(time) => self.container.pod.scene.now().duration_since(time) <= FRESH && !self.is_over(template, time),
            None => self.is_last(template),
        }
    }

    /// A complaint that was made every second and not for a minute is over, if the log goes on.
    fn is_over(&self, template: &Template<'_>, last: Timestamp) -> bool {
        let Some(first) = template.first_time() else { return false };
        let gaps = i64::try_from(template.count.saturating_sub(1)).unwrap_or(i64::MAX).max(1);
        let usual = last.duration_since(first).as_secs() / gaps;
        let end = self.log.last_time().unwrap_or(last);
        !self.is_last(template) && end.duration_since(last).as_secs() > (usual * 5).max(30)
    }

    /// Returns whether nothing much was said after a complaint.
    pub fn is_last(&self, template: &Template<'_>) -> bool {
        template.last_number + TAIL.min(self.log.count / 4 + 2) > self.log.count
    }

    /// A time before the container started is no time of this run: the log's clock is wrong or in another zone.
    fn is_real(&self, time: Timestamp) -> bool {
        let slack = SignedDuration::from_mins(1);
        let started = self.container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
        let not_before = started.is_none_or(|started| time.duration_since(started) >= -slack);
        not_before && time.duration_since(self.container.pod.scene.now()) <= slack
    }

    /// Adds a complaint to a finding: the line, its times, and the crash if there is one.
    pub fn attest(&self, finding: Finding, template: &Template<'_>) -> Finding {
        let finding = self.quote(finding, template.line, template.number);
        let times = (
            template.first_time().filter(|time| self.is_real(*time)),
            template.last_time().filter(|time| self.is_real(*time)),
        );
        let finding = if self.crash.is_none() { finding.seen(times.0, times.1) } else { finding };
        self.attest_crash(finding)
    }

    /// Adds one line of the log.
    pub fn quote(&self, finding: Finding, text: &str, number: usize) -> Finding {
        let time = line::parse(text).time.filter(|time| self.is_real(*time));
        finding.because_at(self.container.pod_ref(), self.path(number), line::raw(text), time)
    }

    /// Iterates over what the program said of a change of its configuration shortly before a line.
    pub fn change_before(&self, number: usize) -> Vec<(usize, &'s str)> {
        const SHORTLY: usize = 30;
        let speaks = |text: &str| {
            let lower = text.to_ascii_lowercase();
            let words = [
                "reload",
                "config changed",
                "configuration changed",
                "change detected",
                "mismatch",
                "(was: ",
                "switched to",
                "failover",
            ];
            words.iter().any(|word| lower.contains(word))
        };
        let first = number.saturating_sub(SHORTLY);
        let before = self.log.text.lines().enumerate().skip(first).take(number.saturating_sub(first + 1));
        before.filter(|(_, text)| speaks(text)).map(|(index, text)| (index + 1, text)).collect()
    }

    /// Returns whether the container is a database or broker: it logs the same words about its clients as they do.
    pub fn is_server(&self) -> bool {
        is_server(self.container)
    }

    /// Returns whether the container was stopped from outside while it ran: a failed probe, an eviction.
    pub fn was_stopped(&self) -> bool {
        let scene = self.container.pod.scene;
        let told = |reason: &str, message: &str| {
            reason == "Killing"
                || (reason == "Unhealthy" && (message.starts_with("Liveness") || message.starts_with("Startup")))
        };
        self.container.events().any(|event| told(event.reason, event.message) && scene.is_recent(event.last))
    }

    /// Adds how the program ended and whom that hits; what runs is degraded at most.
    pub fn attest_crash(&self, finding: Finding) -> Finding {
        let finding = finding.affects(self.container.pod_ref());
        let Some(crash) = self.crash else {
            let severity =
                if self.container.is_ready() { finding.severity.min(Severity::Warning) } else { finding.severity };
            return finding.severity(severity);
        };
        let how = if crash.reason.is_empty() { "ended" } else { crash.reason };
        let path = self.container.last_end_path();
        finding
            .because_at(
                self.container.pod_ref(),
                format!("{path}.exitCode"),
                format!("{} ({how})", crash.exit_code),
                crash.finished_at,
            )
            .seen(crash.finished_at, crash.finished_at)
    }

    /// Returns `exited with code 1`.
    pub fn end_phrase(&self) -> String {
        self.crash.map_or_else(|| "is running".to_owned(), |crash| format!("exited with code {}", crash.exit_code))
    }

    /// Returns the command that shows this log.
    pub fn logs_command(&self) -> String {
        let pod = self.container.pod;
        let mut words = vec!["kubectl", "logs", "-n", pod.namespace(), pod.name(), "-c", self.container.name()];
        if self.crash.is_some() && self.container.running().is_some() {
            words.push("--previous");
        }
        crate::render::quote::command(&words)
    }

    /// Finds the first complaint that counts and that a function recognises, the decisive lines first.
    pub fn find<T>(&self, recognise: impl Fn(&str) -> Option<T>) -> Option<(&'s Template<'s>, T)> {
        let mut found: Vec<_> =
            self.complaints().filter_map(|template| Some((template, recognise(&template.message())?))).collect();
        let rank = |template: &Template<'_>| {
            (!self.is_decisive(template), std::cmp::Reverse(template.weight), template.number)
        };
        found.sort_by_key(|(template, _)| rank(template));
        found.into_iter().next()
    }

    /// Returns the decisive line, if the log has one.
    pub fn decisive(&self) -> Option<Decisive<'s>> {
        self.log.decisive
    }
}

/// Returns whether a container is a database or broker, by its ports and image.
pub fn is_server(container: ContainerView<'_>) -> bool {
    let mut ports = container.spec.ports.iter().flatten().map(|port| port.container_port);
    let image = container.image().rsplit('/').next().unwrap_or_default();
    let servers = ["postgres", "mysql", "mariadb", "redis", "mongo", "rabbitmq", "valkey", "pgbouncer"];
    ports.any(|port| matches!(port, 1433 | 3306 | 5432 | 5672 | 6379 | 6432 | 9042 | 27017))
        || (servers.iter().any(|name| image.starts_with(name)) && runs_its_server(container))
}

/// Such an image is a client's where its command is another one than the server: `redis-cli`, `sh -c 'psql ..'`.
fn runs_its_server(container: ContainerView<'_>) -> bool {
    const SERVERS: &[&str] =
        &["postgres", "mysqld", "mariadbd", "redis-server", "mongod", "rabbitmq-server", "valkey-server", "pgbouncer"];
    let Some(command) = container.spec.command.as_ref().filter(|command| !command.is_empty()) else { return true };
    let words = command.iter().chain(container.spec.args.iter().flatten()).flat_map(|text| text.split_whitespace());
    words
        .filter_map(|word| word.rsplit('/').next())
        .any(|word| SERVERS.contains(&word) || word.ends_with("entrypoint.sh") || word == "run.sh")
}

/// Returns whether what happened to a pod matters no more: its Job was done by another pod, its CronJob succeeded
/// later, or it was evicted and replaced.
pub fn is_settled(pod: PodView<'_>) -> bool {
    if !pod.is_finished() {
        return pod.is_terminating();
    }
    let Some(owner) = owners::controller(pod.pod.object.meta()) else { return false };
    if owner.kind != "Job" {
        return true;
    }
    let objects = &pod.scene.snapshot.objects;
    let Some(job) = objects.jobs.get(pod.namespace(), &owner.name) else { return false };
    let done = job.status.as_ref().is_some_and(|status| status.succeeded.unwrap_or(0) > 0);
    done || succeeded_later(pod, job)
}

fn succeeded_later(pod: PodView<'_>, job: &Job) -> bool {
    let cron = owners::controller(job.meta())
        .and_then(|owner| pod.scene.snapshot.objects.cron_jobs.get(pod.namespace(), &owner.name));
    let last = cron.and_then(|cron| cron.status.as_ref()?.last_successful_time.as_ref()).map(|time| time.0);
    last.is_some_and(|last| pod.created().is_some_and(|created| last > created))
}
