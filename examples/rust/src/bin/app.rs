//! A service with one guarded route. `PORT` (default 8080), `LATCHKEY_ADDRESS`.

use std::env;
use std::net::SocketAddr;

use axum::extract::Extension;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::Router;
use latchkey_example::authorize::{authorize, Guard};
use latchkey_example::client::connect;
use latchkey_example::latchkey::validation_service_client::ValidationServiceClient;
use latchkey_example::latchkey::ValidateResponse;

async fn list_charges(Extension(caller): Extension<ValidateResponse>) -> String {
    format!("the charges of {}, read by {}\n", caller.company_id, caller.token_id)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let guard = Guard { validator: ValidationServiceClient::new(connect()?), permission: "charges.read" };
    let app = Router::new()
        .route("/charges", get(list_charges))
        .route_layer(from_fn_with_state(guard, authorize))
        .into_make_service_with_connect_info::<SocketAddr>();
    let port = env::var("PORT").unwrap_or_else(|_| "8080".to_string());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, app).await?;
    Ok(())
}
