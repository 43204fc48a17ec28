// The contract's FileDescriptorSet as protoc wrote it, carried inside of the program (descriptor_set.h).
        .section .rodata
        .balign 8
        .global descriptor_set_begin
        .global descriptor_set_end
        .hidden descriptor_set_begin
        .hidden descriptor_set_end
        .type   descriptor_set_begin, %object
descriptor_set_begin:
        .incbin LATCHKEY_DESCRIPTOR_SET
descriptor_set_end:
        .size   descriptor_set_begin, descriptor_set_end - descriptor_set_begin
        .section .note.GNU-stack, "", %progbits
