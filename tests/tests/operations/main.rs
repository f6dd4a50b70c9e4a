//! What operators are given, checked without running it: dashboards, rules, images, compose and Kubernetes manifests.
//! The suite `watch` runs the dashboards' queries and the alerts for real.

mod containers;
mod dashboards;
mod kubernetes;
mod tools;
