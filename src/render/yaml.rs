//! stub
use crate::model::Report;
pub fn render(report: &Report) -> anyhow::Result<Vec<u8>> {
    super::json::render(report)
}
