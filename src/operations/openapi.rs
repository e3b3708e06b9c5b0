//! The OpenAPI document (3.1.1) of this listener, made of its table ([`super::endpoints`]).
//!
//! Paths, methods, who may, what is sent and what is answered stand in the table alone; the schemas are
//! those of the types that are read and written. So what is here cannot differ from what is done,
//! but for the statuses, which tests hold to it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::Bytes;
use http::{Response, StatusCode};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::endpoints::Endpoint;
use super::operators::Role;
use super::problem::{MEDIA_TYPE, Told};
use super::row::{Content, Row, Who};
use crate::base::body::Body;
use crate::gateway::response;

/// Answers with the document, which is made once: whoever reaches the listener may ask for it.
pub(super) fn answer() -> Response<Body> {
    static TEXT: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());
    response::json_text(StatusCode::OK, TEXT.clone())
}

/// Returns the document.
#[must_use]
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for endpoint in Endpoint::ALL {
        let row = endpoint.row();
        let operation = operation(*endpoint, &row, &mut generator);
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        path[row.method.as_str().to_ascii_lowercase()] = operation;
    }
    let problem = generator.subschema_for::<Told>();
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.1",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Brama operations",
            "version": env!("CARGO_PKG_VERSION"),
            "description": ABOUT,
            "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": {
                "Problem": {
                    "description": "What happened and what to do (RFC 9457).",
                    "content": { MEDIA_TYPE: { "schema": problem } },
                },
            },
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer" },
                "password": { "type": "http", "scheme": "basic" },
            },
        },
    })
}

fn operation(endpoint: Endpoint, row: &Row, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "operationId": endpoint.name(),
        "summary": row.about,
        "responses": responses(row, generator),
    });
    let mut parameters = Vec::new();
    if let Some((_, rest)) = row.path.split_once('{') {
        parameters.push(json!({
            "name": rest.trim_end_matches('}'),
            "in": "path",
            "required": true,
            "schema": { "type": "string", "pattern": row.pattern },
        }));
    }
    if let Some(query) = row.query {
        parameters.extend(fields(query(generator)));
    }
    match row.who {
        Who::Anybody | Who::Neighbours => {}
        Who::Programs => parameters.push(json!({
            "name": "X-Brama-Doctor",
            "in": "header",
            "required": true,
            "description": "Says that a program asks, and no page.",
            "schema": { "const": "1" },
        })),
        Who::Readers | Who::Browsers | Who::Writers | Who::WritersHere => {
            let may_write = matches!(row.who, Who::Writers | Who::WritersHere);
            let role = if may_write { Role::Write } else { Role::Read };
            operation["security"] = match row.who {
                Who::Browsers => json!([{ "token": [] }, { "password": [] }]),
                _ => json!([{ "token": [] }]),
            };
            operation["x-brama-role"] = serde_json::to_value(role).unwrap_or_default();
        }
    }
    if row.who == Who::WritersHere {
        operation["x-brama-loopback-only"] = Value::Bool(true);
    }
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some(takes) = row.takes {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/json": { "schema": takes(generator) } },
        });
    }
    operation
}

fn responses(row: &Row, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for (status, what, content) in &row.says {
        let content = match content {
            Content::Json(schema) => json!({ "application/json": { "schema": schema(generator) } }),
            Content::Text(media) => {
                let text = json!({ "schema": { "type": "string" } });
                Value::Object(media.iter().map(|one| ((*one).to_owned(), text.clone())).collect())
            }
        };
        let response = json!({ "description": what, "content": content });
        responses.insert(status.to_string(), response);
    }
    for status in problems(row) {
        let problem = json!({ "$ref": "#/components/responses/Problem" });
        responses.entry(status.to_string()).or_insert(problem);
    }
    Value::Object(responses)
}

/// Returns the statuses of problems that a request may meet.
fn problems(row: &Row) -> BTreeSet<u16> {
    let by_who: &[u16] = match row.who {
        // Where more is asked for than the state as a whole.
        Who::Anybody => &[403, 421],
        Who::Neighbours => &[403, 421],
        Who::Programs => &[400, 403, 421],
        Who::Readers | Who::Browsers | Who::Writers | Who::WritersHere => {
            &[401, 403, 404, 421, 429]
        }
    };
    let by_body: &[u16] = if row.takes.is_some() { &[400, 408, 413, 415] } else { &[] };
    [by_who, by_body, row.problems].concat().into_iter().collect()
}

/// Returns the parameters of a query, which are the fields of a type.
fn fields(schema: Schema) -> Vec<Value> {
    let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let parameter = |(name, mut schema): (String, Value)| {
        // What is not there is not null in a query.
        if let Some(types) = schema.get_mut("type")
            && let Some(first) = types.as_array().and_then(|types| types.first()).cloned()
        {
            *types = first;
        }
        let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        json!({ "name": name, "in": "query", "description": about, "schema": schema })
    };
    fields.into_iter().map(parameter).collect()
}

const ABOUT: &str = "What operators ask a running gateway, and change. The listener is \
    operations.listen of the configuration; keep it out of reach of citizens. A request names it by \
    an address of IP, as localhost or by a name of operations.hosts, and comes from no page of another \
    site. GET is answered as HEAD too.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_guard_may_say_stands_with_all_that_passes_it() {
        let document = document();
        let has = |path: &str, status: &str| {
            document["paths"][path]["get"]["responses"].get(status).is_some()
        };
        for path in ["/readyz", "/livez", "/metrics", "/sessions"] {
            assert!(has(path, "403") && has(path, "421"), "{path}");
            assert_eq!(has(path, "429"), path == "/sessions", "{path}");
        }
    }
}
