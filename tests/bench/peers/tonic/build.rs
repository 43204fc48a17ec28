fn main() -> Result<(), Box<dyn std::error::Error>> {
    let protos = std::env::var("LATCHKEY_PROTO")?;
    tonic_prost_build::configure()
        .build_client(false)
        .generate_default_stubs(true)
        .compile_protos(&["latchkey/v1/validation.proto"], &[&protos])?;
    Ok(())
}
