//! `.Chart`: the metadata of a chart as templates see it.

use std::rc::Rc;

use super::record::{Field, Record};
use crate::helm::chart::{Dependency, Maintainer, Metadata};
use crate::helm::value::{Kind, List, Map, Str, Type, Value};

/// `struct { chart.Metadata; IsRoot bool }`
pub(super) fn chart(metadata: &Metadata, is_root: bool) -> Value {
    let fields = vec![Field::always("Metadata", "", self::metadata(metadata)), Field::always("IsRoot", "IsRoot", Value::Bool(is_root))];
    Record::value("struct { chart.Metadata; IsRoot bool }", Kind::Struct, fields)
}

fn text(text: &str) -> Value {
    Value::from(text)
}

fn texts(texts: &[String]) -> Value {
    if texts.is_empty() { Value::List(List::nil(Type::Strings)) } else { Value::List(List::strings(texts)) }
}

fn metadata(of: &Metadata) -> Value {
    let annotations = if of.annotations.is_empty() {
        Map::nil(Type::StringMap)
    } else {
        Map::typed(Type::StringMap, of.annotations.iter().map(|(key, value)| (Str::from(key), text(value))).collect())
    };
    let maintainers = objects("[]*chart.Maintainer", of.maintainers.iter().map(maintainer).collect());
    let dependencies = objects("[]*chart.Dependency", of.dependencies.iter().flatten().map(dependency).collect());
    let fields = vec![
        Field::new("Name", "name", text(&of.name)),
        Field::new("Home", "home", text(&of.home)),
        Field::new("Sources", "sources", texts(&of.sources)),
        Field::new("Version", "version", text(&of.version)),
        Field::new("Description", "description", text(&of.description)),
        Field::new("Keywords", "keywords", texts(&of.keywords)),
        Field::new("Maintainers", "maintainers", maintainers),
        Field::new("Icon", "icon", text(&of.icon)),
        Field::new("APIVersion", "apiVersion", text(&of.api_version)),
        Field::new("Condition", "condition", text(&of.condition)),
        Field::new("Tags", "tags", text(&of.tags)),
        Field::new("AppVersion", "appVersion", text(&of.app_version)),
        Field::new("Deprecated", "deprecated", Value::Bool(of.deprecated)),
        Field::new("Annotations", "annotations", Value::Map(annotations)),
        Field::new("KubeVersion", "kubeVersion", text(&of.kube_version)),
        Field::new("Dependencies", "dependencies", dependencies),
        Field::new("Type", "type", text(&of.chart_type)),
    ];
    Value::Object(Rc::new(Record { type_name: "chart.Metadata", kind: Kind::Struct, fields, string: None }))
}

fn objects(typ: &'static str, items: Vec<Value>) -> Value {
    if items.is_empty() { Value::List(List::nil(Type::Slice(typ))) } else { Value::List(List::typed(Type::Slice(typ), items)) }
}

fn maintainer(of: &Maintainer) -> Value {
    let fields = vec![
        Field::new("Name", "name", text(&of.name)),
        Field::new("Email", "email", text(&of.email)),
        Field::new("URL", "url", text(&of.url)),
    ];
    Record::value("*chart.Maintainer", Kind::Ptr, fields)
}

fn dependency(of: &Dependency) -> Value {
    let fields = vec![
        Field::always("Name", "name", text(&of.name)),
        Field::new("Version", "version", text(&of.version)),
        Field::always("Repository", "repository", text(&of.repository)),
        Field::new("Condition", "condition", text(&of.condition)),
        Field::new("Tags", "tags", texts(&of.tags)),
        Field::new("Enabled", "enabled", Value::Bool(of.enabled)),
        Field::new("Alias", "alias", text(&of.alias)),
    ];
    Record::value("*chart.Dependency", Kind::Ptr, fields)
}
