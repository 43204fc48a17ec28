//! Middleware for axum: a request goes on only if Latchkey admits its bearer token, from the address it came from,
//! for the permission that the route needs. Whatever goes wrong, the request is refused.

use std::net::SocketAddr;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tonic::transport::Channel as Connection;

use crate::client::{request as prepare, retry};
use crate::latchkey::validation_service_client::ValidationServiceClient;
use crate::latchkey::{Channel, Decision, Reason, ValidateRequest};

const TIMEOUT: Duration = Duration::from_secs(1);

/// What one route asks for.
#[derive(Clone)]
pub struct Guard {
    pub validator: ValidationServiceClient<Connection>,
    pub permission: &'static str,
}

/// `route_layer(from_fn_with_state(guard, authorize))`. The handler finds the `ValidateResponse` in the extensions.
pub async fn authorize(
    State(guard): State<Guard>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: Request,
    next: Next,
) -> Response {
    let question = ValidateRequest {
        token: find_bearer(&request).to_string(),
        client_ip: peer.ip().to_string(),
        channel: Channel::Api.into(),
        permissions: vec![guard.permission.to_string()],
        ..Default::default()
    };
    let ask = || {
        let (mut validator, question) = (guard.validator.clone(), question.clone());
        async move { validator.validate(prepare(question, TIMEOUT, "")).await }
    };
    match retry(ask).await.map(|answer| answer.into_inner()) {
        Ok(answer) if answer.decision() == Decision::Allow => {
            request.extensions_mut().insert(answer);
            next.run(request).await
        }
        Ok(answer) => refuse(answer.reason()),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response(),
    }
}

fn find_bearer(request: &Request) -> &str {
    let value = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match value.and_then(|text| text.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    }
}

fn refuse(reason: Reason) -> Response {
    use Reason::*;
    match reason {
        Malformed | Unknown | MemberRemoved | Deactivated | Suspended | NotYetValid | Expired => {
            (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, r#"Bearer error="invalid_token""#)]).into_response()
        }
        PermissionMissing => {
            (StatusCode::FORBIDDEN, [(WWW_AUTHENTICATE, r#"Bearer error="insufficient_scope""#)]).into_response()
        }
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}
