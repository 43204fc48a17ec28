//! Generates the client from Latchkey's contract; needs `protoc` (package protobuf-compiler).

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = "../../proto";
    println!("cargo:rerun-if-changed={protos}");
    tonic_prost_build::configure().build_server(false).extern_path(".google.rpc", "::tonic_types::pb").compile_protos(
        &["latchkey/v1/token.proto", "latchkey/v1/validation.proto", "grpc/health/v1/health.proto"],
        &[protos],
    )?;
    Ok(())
}
