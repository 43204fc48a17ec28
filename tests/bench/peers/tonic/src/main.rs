//! The peer: Validate of the same contract on tonic, one thread, with jemalloc, and hardly a decision behind it: any token
//! from anywhere is allowed. Prints "listening ADDRESS".

use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

mod v1 {
    tonic::include_proto!("latchkey.v1");
}
use v1::validation_service_server::{ValidationService, ValidationServiceServer};
use v1::{Decision, Reason, ValidateRequest, ValidateResponse};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const MAX_STREAMS: u32 = 1000;

struct Service;

#[tonic::async_trait]
impl ValidationService for Service {
    async fn validate(&self, request: Request<ValidateRequest>) -> Result<Response<ValidateResponse>, Status> {
        let request = request.into_inner();
        let response = if request.token.is_empty() || request.client_ip.is_empty() {
            ValidateResponse { decision: Decision::Deny.into(), reason: Reason::Malformed.into(), ..Default::default() }
        } else {
            ValidateResponse {
                decision: Decision::Allow.into(),
                reason: Reason::Ok.into(),
                company_id: "cmp_01jd3ge8x9f0r8q6k3n2v5t7wy".into(),
                token_id: "tok_01jd3ge8x9f0r8q6k3n2v5t7wz".into(),
                ..Default::default()
            }
        };
        Ok(Response::new(response))
    }
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening {}", listener.local_addr()?);
    Server::builder()
        .tcp_nodelay(true)
        .max_concurrent_streams(Some(MAX_STREAMS))
        .add_service(ValidationServiceServer::new(Service))
        .serve_with_incoming(TcpListenerStream::new(listener))
        .await?;
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(serve())
}
