//! Chart.yaml: `pkg/chart/metadata.go` and `dependency.go`.

use std::collections::BTreeMap;

use super::ChartError;
use crate::helm::func::semver::Version;
use crate::helm::strconv::{is_print, quote};
use crate::helm::yaml::Node;

/// What Chart.yaml says.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of Chart.yaml, by the same names")]
pub struct Metadata {
    pub name: String,
    pub home: String,
    pub sources: Vec<String>,
    pub version: String,
    pub description: String,
    pub keywords: Vec<String>,
    pub maintainers: Vec<Maintainer>,
    pub icon: String,
    pub api_version: String,
    pub condition: String,
    pub tags: String,
    pub app_version: String,
    pub deprecated: bool,
    pub annotations: BTreeMap<String, String>,
    pub kube_version: String,
    /// None where Chart.yaml has no such key.
    pub dependencies: Option<Vec<Dependency>>,
    /// `type`: application or library.
    pub chart_type: String,
}

/// A person who keeps a chart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of Chart.yaml, by the same names")]
pub struct Maintainer {
    pub name: String,
    pub email: String,
    pub url: String,
}

/// A chart that another one needs.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of Chart.yaml, by the same names")]
pub struct Dependency {
    pub name: String,
    pub version: String,
    pub repository: String,
    pub condition: String,
    pub tags: Vec<String>,
    pub enabled: bool,
    pub import_values: Vec<ImportValue>,
    pub alias: String,
}

/// An entry of `import-values`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportValue {
    /// A key under the child's `exports`.
    Export(String),
    /// A path of the child, and where in the parent it goes.
    Table {
        /// The path in the child's values.
        child: String,
        /// The path in the parent's.
        parent: String,
    },
}

/// `json: cannot unmarshal KIND into Go struct field Metadata.PATH of type TYPE`, as sigs.k8s.io/yaml wraps it.
fn wrong_type(node: &Node, path: &str, typ: &str) -> String {
    format!(
        "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {} into Go struct field {path} of type {typ}",
        node.json_kind()
    )
}

fn text(of: &Node, key: &str, path: &str) -> Result<String, String> {
    match of.get(key) {
        None | Some(Node::Null) => Ok(String::new()),
        Some(node) => node.to_text().ok_or_else(|| wrong_type(node, &format!("{path}.{key}"), "string")),
    }
}

fn texts(of: &Node, key: &str, path: &str) -> Result<Vec<String>, String> {
    match of.get(key) {
        None | Some(Node::Null) => Ok(Vec::new()),
        Some(Node::List(items)) => items
            .iter()
            .map(|item| match item {
                Node::Null => Ok(String::new()),
                item => item.to_text().ok_or_else(|| wrong_type(item, &format!("{path}.{key}"), "string")),
            })
            .collect(),
        Some(node) => Err(wrong_type(node, &format!("{path}.{key}"), "[]string")),
    }
}

fn truth(of: &Node, key: &str, path: &str) -> Result<bool, String> {
    match of.get(key) {
        None | Some(Node::Null) => Ok(false),
        Some(Node::Bool(truth)) => Ok(*truth),
        Some(node) => Err(wrong_type(node, &format!("{path}.{key}"), "bool")),
    }
}

impl Metadata {
    /// Takes over what a YAML document says; the error is that of sigs.k8s.io/yaml.
    pub(crate) fn read(&mut self, document: &Node) -> Result<(), String> {
        const PATH: &str = "Metadata";
        match document {
            Node::Null => return Ok(()),
            Node::Map(_) => {}
            other => {
                let kind = other.json_kind();
                return Err(format!(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {kind} into Go value of type chart.Metadata"
                ));
            }
        }
        let fields: [(&str, &mut String); 11] = [
            ("name", &mut self.name),
            ("home", &mut self.home),
            ("version", &mut self.version),
            ("description", &mut self.description),
            ("icon", &mut self.icon),
            ("apiVersion", &mut self.api_version),
            ("condition", &mut self.condition),
            ("tags", &mut self.tags),
            ("appVersion", &mut self.app_version),
            ("kubeVersion", &mut self.kube_version),
            ("type", &mut self.chart_type),
        ];
        for (key, field) in fields {
            if document.get(key).is_some() {
                *field = text(document, key, PATH)?;
            }
        }
        if document.get("sources").is_some() {
            self.sources = texts(document, "sources", PATH)?;
        }
        if document.get("keywords").is_some() {
            self.keywords = texts(document, "keywords", PATH)?;
        }
        if document.get("deprecated").is_some() {
            self.deprecated = truth(document, "deprecated", PATH)?;
        }
        self.read_annotations(document)?;
        match document.get("maintainers") {
            None | Some(Node::Null) => {}
            Some(Node::List(items)) => self.maintainers = items.iter().map(maintainer).collect::<Result<_, _>>()?,
            Some(node) => return Err(wrong_type(node, "Metadata.maintainers", "[]*chart.Maintainer")),
        }
        match document.get("dependencies") {
            None | Some(Node::Null) => {}
            Some(Node::List(items)) => self.dependencies = Some(items.iter().map(dependency).collect::<Result<_, _>>()?),
            Some(node) => return Err(wrong_type(node, "Metadata.dependencies", "[]*chart.Dependency")),
        }
        Ok(())
    }

    fn read_annotations(&mut self, document: &Node) -> Result<(), String> {
        match document.get("annotations") {
            None | Some(Node::Null) => {}
            Some(Node::Map(entries)) => {
                for (key, node) in entries {
                    let value = match node {
                        Node::Null => String::new(),
                        node => node.to_text().ok_or_else(|| wrong_type(node, "Metadata.annotations", "string"))?,
                    };
                    self.annotations.insert(key.clone(), value);
                }
            }
            Some(node) => return Err(wrong_type(node, "Metadata.annotations", "map[string]string")),
        }
        Ok(())
    }

    /// `Metadata.Validate`: what must be there, with spaces made one kind and unprintable characters left out.
    pub(super) fn validate(&mut self) -> Result<(), ChartError> {
        let fail = |words: String| Err(ChartError::new(format!("validation: {words}")));
        for field in [
            &mut self.name,
            &mut self.description,
            &mut self.home,
            &mut self.icon,
            &mut self.condition,
            &mut self.tags,
            &mut self.app_version,
            &mut self.kube_version,
        ] {
            sanitize(field);
        }
        self.sources.iter_mut().chain(&mut self.keywords).for_each(sanitize);
        if self.api_version.is_empty() {
            return fail("chart.metadata.apiVersion is required".to_owned());
        }
        if self.name.is_empty() {
            return fail("chart.metadata.name is required".to_owned());
        }
        if self.name == "." || self.name == ".." {
            return fail(format!("chart.metadata.name {} is not allowed", quote(&self.name)));
        }
        if self.name.contains('/') {
            return fail(format!("chart.metadata.name {} is invalid", quote(&self.name)));
        }
        if self.version.is_empty() {
            return fail("chart.metadata.version is required".to_owned());
        }
        if Version::new(&self.version).is_err() {
            return fail(format!("chart.metadata.version {} is invalid", quote(&self.version)));
        }
        if !matches!(self.chart_type.as_str(), "" | "application" | "library") {
            return fail("chart.metadata.type must be application or library".to_owned());
        }
        for maintainer in &mut self.maintainers {
            sanitize(&mut maintainer.name);
            sanitize(&mut maintainer.email);
            sanitize(&mut maintainer.url);
        }
        let mut known: Vec<String> = Vec::new();
        for dependency in self.dependencies.iter_mut().flatten() {
            dependency.validate()?;
            let key = if dependency.alias.is_empty() { &dependency.name } else { &dependency.alias };
            if known.contains(key) {
                return fail(format!("more than one dependency with name or alias {}", quote(key)));
            }
            known.push(key.clone());
        }
        Ok(())
    }
}

impl Dependency {
    fn validate(&mut self) -> Result<(), ChartError> {
        for field in [&mut self.name, &mut self.version, &mut self.repository, &mut self.condition] {
            sanitize(field);
        }
        self.tags.iter_mut().for_each(sanitize);
        let good = self.alias.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        if !good {
            let name = quote(&self.name);
            return Err(ChartError::new(format!("validation: dependency {name} has disallowed characters in the alias")));
        }
        Ok(())
    }
}

fn maintainer(node: &Node) -> Result<Maintainer, String> {
    const PATH: &str = "Maintainer.maintainers";
    if matches!(node, Node::Null) {
        return Err("validation: maintainers must not contain empty or null nodes".to_owned());
    }
    Ok(Maintainer { name: text(node, "name", PATH)?, email: text(node, "email", PATH)?, url: text(node, "url", PATH)? })
}

fn dependency(node: &Node) -> Result<Dependency, String> {
    const PATH: &str = "Dependency.dependencies";
    if matches!(node, Node::Null) {
        return Err("validation: dependencies must not contain empty or null nodes".to_owned());
    }
    let import_values = match node.get("import-values") {
        Some(Node::List(items)) => items.iter().filter_map(import_value).collect(),
        _ => Vec::new(),
    };
    Ok(Dependency {
        name: text(node, "name", PATH)?,
        version: text(node, "version", PATH)?,
        repository: text(node, "repository", PATH)?,
        condition: text(node, "condition", PATH)?,
        tags: texts(node, "tags", PATH)?,
        enabled: truth(node, "enabled", PATH)?,
        import_values,
        alias: text(node, "alias", PATH)?,
    })
}

fn import_value(node: &Node) -> Option<ImportValue> {
    match node {
        Node::Str(key) => Some(ImportValue::Export(key.clone())),
        Node::Map(_) => {
            let part = |key: &str| node.get(key).and_then(Node::to_text).unwrap_or_else(|| "<nil>".to_owned());
            Some(ImportValue::Table { child: part("child"), parent: part("parent") })
        }
        _ => None,
    }
}

/// `sanitizeString`.
fn sanitize(text: &mut String) {
    *text = text.chars().map(|rune| if rune.is_whitespace() { ' ' } else { rune }).filter(|rune| is_print(*rune)).collect();
}
