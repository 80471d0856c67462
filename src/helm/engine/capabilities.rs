//! `.Capabilities`: `pkg/chartutil/capabilities.go`.

use std::any::Any;
use std::rc::Rc;

use super::record::{Field, Record};
use crate::helm::Options;
use crate::helm::func::{Args, FuncError, Runtime};
use crate::helm::value::{Kind, List, Method, Object, Str, Type, Value};

/// The API versions that Helm 3.22 takes as given without a cluster.
const API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];

/// A version of Kubernetes; `chartutil.KubeVersion`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KubeVersion {
    /// All of it, with a `v`.
    pub version: String,
    /// The first number.
    pub major: String,
    /// The second number.
    pub minor: String,
}

impl KubeVersion {
    /// `chartutil.ParseKubeVersion`: two or three numbers, perhaps after a `v`; what follows them is left out.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fail = || format!("could not parse {} as version", crate::helm::strconv::quote(text));
        let rest = text.trim().strip_prefix('v').unwrap_or(text.trim());
        let end = rest.find(|rune: char| !rune.is_ascii_digit() && rune != '.').unwrap_or(rest.len());
        let numbers: Vec<&str> = rest[..end].trim_end_matches('.').split('.').collect();
        if numbers.len() < 2 {
            return Err(fail());
        }
        let mut parsed = Vec::new();
        for number in &numbers {
            if number.is_empty() {
                return Err(fail());
            }
            if number.len() > 1 && number.starts_with('0') {
                return Err(format!(
                    "illegal zero-prefixed version component {} in {}",
                    crate::helm::strconv::quote(number),
                    crate::helm::strconv::quote(text)
                ));
            }
            parsed.push(number.parse::<u64>().map_err(|_| fail())?);
        }
        while parsed.len() < 3 {
            parsed.push(0);
        }
        let shown: Vec<String> = parsed.iter().map(ToString::to_string).collect();
        Ok(Self { version: format!("v{}", shown.join(".")), major: shown[0].clone(), minor: shown[1].clone() })
    }

    /// The second number as such.
    pub(crate) fn minor(&self) -> u64 {
        self.minor.parse().unwrap_or(0)
    }
}

/// `.Capabilities.APIVersions`
struct VersionSet(List);

impl Object for VersionSet {
    fn typ(&self) -> Type {
        Type::Object("chartutil.VersionSet", Kind::Slice)
    }

    fn method(&self, name: &str) -> Option<Method> {
        (name == "Has").then_some(Method { params: &[Type::String], variadic: false })
    }

    fn call(&self, _: &mut dyn Runtime, _: &str, args: &[Value]) -> Result<Value, FuncError> {
        let wanted = Args(args).str(0)?;
        let found = self.0.with(|items| items.iter().any(|item| matches!(item, Value::Str(version) if version == wanted)));
        Ok(Value::Bool(found))
    }

    fn print(&self) -> Result<Str, FuncError> {
        Value::List(self.0.clone()).print()
    }

    fn to_data(&self) -> Result<Value, FuncError> {
        Ok(Value::List(self.0.clone()))
    }

    fn items(&self) -> Option<Vec<Value>> {
        Some(self.0.to_vec())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `.Capabilities` of the cluster that a chart is rendered for.
pub(crate) fn capabilities(options: &Options) -> Value {
    let kube = &options.kube_version;
    let known: &[&str] = if options.is_cluster { &[] } else { API_VERSIONS };
    let fields = vec![
        Field::always("Version", "Version", kube.version.as_str()),
        Field::always("Major", "Major", kube.major.as_str()),
        Field::always("Minor", "Minor", kube.minor.as_str()),
    ];
    let string = Some((Str::from(kube.version.as_str()), ["String", "GitVersion"].as_slice()));
    let kube = Value::Object(Rc::new(Record { type_name: "chartutil.KubeVersion", kind: Kind::Struct, fields, string }));
    let versions = List::strings(known.iter().copied().map(Str::from).chain(options.api_versions.iter().map(Str::from)));
    let helm = vec![
        Field::new("Version", "version", "v3.22"),
        Field::new("GitCommit", "git_commit", ""),
        Field::new("GitTreeState", "git_tree_state", ""),
        Field::new("GoVersion", "go_version", "go1.26.8"),
    ];
    let fields = vec![
        Field::always("KubeVersion", "KubeVersion", kube),
        Field::always("APIVersions", "APIVersions", Value::Object(Rc::new(VersionSet(versions)))),
        Field::always("HelmVersion", "HelmVersion", Record::value("version.BuildInfo", Kind::Struct, helm)),
    ];
    Record::value("*chartutil.Capabilities", Kind::Ptr, fields)
}

impl From<Rc<dyn Object>> for Value {
    fn from(object: Rc<dyn Object>) -> Self {
        Self::Object(object)
    }
}
