//! temporary: namespace NS --from PATH -o json
use std::io::Write as _;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let path = std::path::Path::new(&args[4]);
    let mut snapshot = if path.is_dir() { kubectl_rca::collect::folder::read(path, false) } else { kubectl_rca::collect::capture::read(&args[4], &std::fs::read(path).expect("readable"), false) }.expect("a snapshot");
    snapshot.scope = kubectl_rca::model::Scope::namespace(&args[2]);
    kubectl_rca::collect::folder::note_absent_kinds(&mut snapshot);
    let report = kubectl_rca::analyse::analyse(&snapshot, &kubectl_rca::policy::Policy::default());
    std::io::stdout().write_all(&kubectl_rca::render::json::render(&report).expect("json")).expect("stdout");
}
