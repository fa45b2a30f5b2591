//! stub
use crate::model::Report;
pub fn render(report: &Report) -> String {
    report.incidents.iter().map(|i| format!("{}\n", i.cause.subject.object.short())).collect()
}
