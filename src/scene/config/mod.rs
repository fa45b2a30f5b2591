//! What a pod is given: environment, mounts, and the ConfigMaps and Secrets behind them.

pub mod config_lack;
pub mod environment;
pub mod lack;
pub mod mounted_config;
pub mod mounts;
pub mod reference;
pub mod wrong_value;
