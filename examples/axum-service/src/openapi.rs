//! The OpenAPI document of the routes, from the schemas of what they read and write.

use mutator_governance::{Decision, ErrorReport, FeedPage, MutationRequest, Page, PendingApprovalRow};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use crate::routes::{RoleGrant, Verdict};

pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|to| to.definitions_path = "/components/schemas".into());
    let all = &mut settings.into_generator();
    let id = json!([{ "in": "path", "name": "id", "required": true, "schema": { "type": "string" } }]);
    let paths = json!({
        "/requests": { "post": write::<RoleGrant>(all) },
        "/inbox": { "get": read::<Page<PendingApprovalRow>>(all, "application/json") },
        "/requests/{id}/approve": { "parameters": id, "post": write::<Verdict>(all) },
        "/requests/{id}/reject": { "parameters": id, "post": write::<Verdict>(all) },
        "/requests/{id}/wait": { "parameters": id, "get": read::<MutationRequest>(all, "application/json") },
        "/requests/{id}/history": { "parameters": id, "get": read::<Vec<Decision>>(all, "application/json") },
        "/feed": { "get": read::<FeedPage>(all, "text/event-stream") },
    });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Role grants", "version": "1" },
        "paths": paths,
        "components": {
            "schemas": all.take_definitions(true),
            "securitySchemes": { "user": { "type": "apiKey", "in": "header", "name": "x-user" } },
        },
        "security": [{ "user": [] }],
    })
}

fn read<Answer: JsonSchema>(all: &mut SchemaGenerator, media: &str) -> Value {
    let (answer, error) = (all.subschema_for::<Answer>(), all.subschema_for::<ErrorReport>());
    json!({ "responses": {
        "2XX": { "description": "done", "content": { media: { "schema": answer } } },
        "default": { "description": "an error", "content": { "application/json": { "schema": error } } },
    } })
}

fn write<Body: JsonSchema>(all: &mut SchemaGenerator) -> Value {
    let mut operation = read::<MutationRequest>(all, "application/json");
    let content = json!({ "application/json": { "schema": all.subschema_for::<Body>() } });
    operation["requestBody"] = json!({ "required": true, "content": content });
    operation
}
