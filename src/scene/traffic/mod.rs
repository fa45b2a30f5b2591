//! Who calls whom, which calls fail, and which are shut out.

pub mod awaited;
pub mod blocked;
pub mod calls;
pub mod failing_calls;
pub mod netpol;
pub mod outage;
