//! Latchkey from Rust: a connection (`client`) and a middleware for axum (`authorize`).

pub mod authorize;
pub mod client;

pub mod latchkey {
    tonic::include_proto!("latchkey.v1");
}

pub mod health {
    tonic::include_proto!("grpc.health.v1");
}
