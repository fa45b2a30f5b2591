//! Who may do what, and what the API server refused.

pub mod quota;
pub mod rbac;
pub mod refusal;
