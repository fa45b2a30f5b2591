//! stub
use std::borrow::Cow;
use serde_json::Value;
#[derive(Debug, Default)]
pub struct Redactor;
impl Redactor {
    pub fn new() -> Self { Self }
    pub fn object(&mut self, _kind: &str, _value: &mut Value) {}
    pub fn text<'t>(&mut self, text: &'t str) -> Cow<'t, str> { Cow::Borrowed(text) }
    pub fn count(&self) -> usize { 0 }
}
