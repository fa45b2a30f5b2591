//! stub
use crate::model::Report;
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub width: usize,
    pub color: bool,
    pub wide: bool,
    pub unicode: bool,
}
pub fn render(report: &Report, _look: &Look) -> String {
    report.incidents.iter().map(|i| format!("{:?} {}\n", i.severity, i.cause.message)).collect()
}
