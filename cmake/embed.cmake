# Files that the programs carry inside: the contract's descriptor set and the database schema.

# Source files of TARGET see LATCHKEY_DESCRIPTOR_SET, the path of a serialized FileDescriptorSet, for .incbin.
function(latchkey_embed_descriptor_set target file)
  target_compile_definitions(${target} PRIVATE LATCHKEY_DESCRIPTOR_SET="${file}")
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "(\\.S|descriptor[^/]*\\.c)$")
  set_source_files_properties(${sources} TARGET_DIRECTORY ${target} PROPERTIES OBJECT_DEPENDS ${file})
  add_dependencies(${target} latchkey_proto)
endfunction()

# DIRECTORY/*.sql, in the order of their names, as the table that common/db/schema.h declares.
function(latchkey_embed_schema target directory)
  file(GLOB statements CONFIGURE_DEPENDS ${directory}/*.sql)
  if(NOT statements)
    return()
  endif()
  # The names stand in the command: a file that only took another name, or is older than the table, makes it anew too.
  set(table ${CMAKE_CURRENT_BINARY_DIR}/schema_files.c)
  set(script ${CMAKE_SOURCE_DIR}/cmake/write_schema_table.cmake)
  add_custom_command(
    OUTPUT ${table}
    COMMAND ${CMAKE_COMMAND} -D "FILES=${statements}" -D OUTPUT=${table} -P ${script}
    DEPENDS ${statements} ${script}
    COMMENT "Embedding the database schema"
    VERBATIM)
  target_sources(${target} PRIVATE ${table})
endfunction()
