//! meshform provisions the edge of an Istio mesh on EKS from one stack file: Istio from its charts, certificates of ACM, their DNS validation, Secrets
//! Manager, TLS Secrets, gateways, load balancers and their records, and whatever other charts and Kubernetes objects a stack names; planned, applied,
//! rotated, repaired and destroyed.
//!
//! # The map
//!
//! A module uses only modules above it; a test holds the order. The first three groups are pure: no clock, environment, file or network.
//!
//! | | module | what it is |
//! |---|---|---|
//! | words | [`addr`] | the one name of a resource |
//! | | [`diag`] | what is wrong with the input, where, and what to do |
//! | | [`secret`] | types for secret bytes |
//! | | [`input`] | YAML as nodes with places |
//! | | [`fields`] | fields of Kubernetes objects: paths, owners, differences, items of lists that are turned back, what a definition's schema says |
//! | nouns | [`stack`] | what the user wants: files, merge, variables, checks |
//! | | [`resource`] | what that means, resource by resource, with attributes |
//! | | [`material`] | exported certificates and keys, opened and checked |
//! | | [`observed`] | what is there |
//! | | [`event`], [`state`] | what happened, and what is remembered |
//! | thought | [`helm`] | a chart and values → YAML, as `helm template` prints it; knows nothing of the rest |
//! | | [`render`] | files and charts → Kubernetes objects |
//! | | [`compose`] | stack and objects → resources |
//! | | [`graph`] | what waits for what |
//! | | [`ready`] | whether a live object does what it is for |
//! | | [`permissions`] | what AWS and Kubernetes must allow for a stack, command by command |
//! | | [`plan`] | desired, observed, prior → decisions |
//! | edges | [`clock`] | the one time of a run |
//! | | [`source`] | the files of a stack, its manifests, templates and imported certificates; charts |
//! | | [`store`] | the state on disk, its journal and its lease; saved plans |
//! | | [`provider`] | AWS and Kubernetes |
//! | | [`sandbox`] | both of them inside the process, below the clients' HTTP |
//! | engines | [`observe`] | looks at the world, in pages |
//! | | [`apply`] | carries a plan out: the only writing |
//! | operations | [`ops`] | the stages chained; never prints |
//! | binary | [`cli`] | arguments in, exit code out; the only printing |
//!
//! # The way of an apply
//!
//! `source::stack_files::load` → `stack::parse` → `stack::check` → `source::import_files::load` and `source::manifest_files::load` → `render::render` → `compose::compose` →
//! (with charts: `source::chart_files::load` → `ops::connect` → `ops::charts::rendered`, which looks things up in rounds, before) `graph::Graph::build` → `store::Store::lease` → `ops::connect` → `observe::observe` → `plan::Plan::make` → consent → `apply::apply`, whose events `state::State::fold` takes in.
//!
//! # Files that a run touches
//!
//! The stack, what it extends, its manifests, charts, files of values and its `templates/`, the PEM files that it imports; `.meshform/<stack>/{state.json,events.jsonl,lock}`; in the sandbox
//! `.meshform/sandbox/`; what `plan --out`, `rotate --metrics`, `init`, `render` and `man --dir` are told to write; with charts their cache,
//! `meshform.lock`, the folders named there, and the logins that Docker and Helm keep. Nothing else.

pub mod addr;
pub mod apply;
pub mod cli;
pub mod clock;
pub mod compose;
pub mod diag;
pub mod event;
pub mod fields;
pub mod graph;
pub mod helm;
pub mod input;
pub mod material;
pub mod observe;
pub mod observed;
pub mod ops;
pub mod permissions;
pub mod plan;
pub mod provider;
pub mod ready;
pub mod render;
pub mod resource;
pub mod sandbox;
pub mod secret;
pub mod source;
pub mod stack;
pub mod state;
pub mod store;
