# Files that the programs carry inside: the contract's descriptor set, the database schema, and the console's pages.

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

# DIRECTORY, the sources of the console's pages, built by npm, as the table that services/console/console_files.h declares.
# It is empty, and latchkeyd refuses to serve the console, where LATCHKEY_CONSOLE says OFF, or AUTO and they can't be built.
set(LATCHKEY_CONSOLE AUTO CACHE STRING "Carry the console's pages: ON, OFF, or AUTO, where npm can build them")
set_property(CACHE LATCHKEY_CONSOLE PROPERTY STRINGS AUTO ON OFF)
function(latchkey_embed_console target directory)
  if(NOT TARGET ${target})
    return()
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${directory}/src/* ${CMAKE_SOURCE_DIR}/proto/latchkey/v1/*.proto)
  file(GLOB more CONFIGURE_DEPENDS ${directory}/*.mjs ${directory}/*.json ${directory}/.npmrc)
  set(table ${CMAKE_CURRENT_BINARY_DIR}/console_files.c)
  set(script ${CMAKE_SOURCE_DIR}/cmake/write_console_table.cmake)
  add_custom_command(
    OUTPUT ${table}
    COMMAND ${CMAKE_COMMAND} -D MODE=${LATCHKEY_CONSOLE} -D SOURCES=${directory} -D PROTO=${CMAKE_SOURCE_DIR}/proto
            -D WORK=${CMAKE_BINARY_DIR}/console -D OUTPUT=${table} -P ${script}
    DEPENDS ${sources} ${more} ${script}
    COMMENT "Building the console's pages"
    VERBATIM)
  target_sources(${target} PRIVATE ${table})
endfunction()
