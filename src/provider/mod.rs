//! Providers: the only way to AWS and Kubernetes.
pub mod aws;
pub mod budget;
pub mod error;
pub mod kube;
pub mod world;
