//! The yardstick: Validate on pajamax, whose own minimal HTTP/2 reads of a call's headers only the path. A thread for each
//! connection, no metadata, no streams. Any token from anywhere is allowed. Prints "listening ADDRESS".

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

mod v1 {
    pajamax::include_proto!("latchkey.v1");
}
use v1::{Decision, Reason, ValidateRequest, ValidateResponse, ValidationService, ValidationServiceServer};

struct Service;

impl ValidationService for Service {
    fn validate(&self, request: ValidateRequest) -> pajamax::Response<ValidateResponse> {
        Ok(if request.token.is_empty() || request.client_ip.is_empty() {
            ValidateResponse { decision: Decision::Deny.into(), reason: Reason::Malformed.into(), ..Default::default() }
        } else {
            ValidateResponse {
                decision: Decision::Allow.into(),
                reason: Reason::Ok.into(),
                company_id: "cmp_01jd3ge8x9f0r8q6k3n2v5t7wy".into(),
                token_id: "tok_01jd3ge8x9f0r8q6k3n2v5t7wz".into(),
                ..Default::default()
            }
        })
    }
}

/// It takes no listener that is bound: a port that was free a moment ago.
fn find_address() -> std::io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

fn say_when_it_listens(address: SocketAddr) {
    while TcpStream::connect(address).is_err() {
        thread::yield_now();
    }
    println!("listening {address}");
}

fn main() -> std::io::Result<()> {
    let address = find_address()?;
    thread::spawn(move || say_when_it_listens(address));
    pajamax::Config::new().add_service(ValidationServiceServer::new(Service)).serve(address)
}
