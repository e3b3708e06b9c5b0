//! Objects as they were read, and ways to them.

use serde_json::Value;

/// Returns the objects of a kind.
pub(crate) fn of_kind<'o>(objects: &'o [Value], kind: &str) -> Vec<&'o Value> {
    objects.iter().filter(|object| object["kind"] == kind).collect()
}

/// Returns the one object of a kind.
pub(crate) fn the<'o>(objects: &'o [Value], kind: &str) -> &'o Value {
    let found = of_kind(objects, kind);
    assert_eq!(found.len(), 1, "objects of kind {kind}: {found:?}");
    found[0]
}

/// Returns the items of a list, which may be absent.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// Returns a text, which must be there.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, and not {value}"))
}

/// Returns all pods: those that are objects, and those that objects make. Each has `metadata` and `spec`.
pub(crate) fn pods(objects: &[Value]) -> Vec<Value> {
    let mut pods = Vec::new();
    for object in objects {
        let template = &object["spec"]["template"];
        if template["spec"].is_object() {
            pods.push(template.clone());
        } else if object["kind"] == "Pod" {
            let (metadata, spec) = (&object["metadata"], &object["spec"]);
            pods.push(serde_json::json!({ "metadata": metadata, "spec": spec }));
        }
    }
    assert!(!pods.is_empty(), "there is a pod in {objects:?}");
    pods
}

/// Returns all containers of a pod, those that begin it too.
pub(crate) fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    items(&pod["spec"]["initContainers"]).chain(items(&pod["spec"]["containers"]))
}

/// Returns the container of the gateway.
pub(crate) fn gateway(objects: &[Value]) -> &Value {
    let spec = &the(objects, "Deployment")["spec"]["template"]["spec"];
    items(&spec["containers"]).find(|one| one["name"] == "brama").unwrap()
}

/// Returns the value of a variable of a container.
pub(crate) fn variable<'c>(container: &'c Value, name: &str) -> Option<&'c str> {
    items(&container["env"]).find(|one| one["name"] == name)?["value"].as_str()
}

/// Returns how many seconds a text such as "10s" means.
pub(crate) fn seconds(text: &str) -> u64 {
    text.strip_suffix('s').unwrap().parse().unwrap()
}
