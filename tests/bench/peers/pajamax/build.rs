fn main() -> Result<(), Box<dyn std::error::Error>> {
    pajamax_build::compile_protos_in_local(&["proto/latchkey/v1/validation.proto"], &["proto"])?;
    Ok(())
}
