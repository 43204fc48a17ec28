# cmake -D "FILES=common/db/schema/0001_a.sql;..." -D OUTPUT=schema_files.c -P write_schema_table.cmake
#
# Writes every file as a C array, and the table of them in the order of their names, as common/db/schema.h
# declares it:
#
#   struct schema_file { const char *name; const char *text; unsigned breaks_before; };
#   extern const struct schema_file schema_files[];
#   extern const size_t schema_file_count;
set(files ${FILES})
list(SORT files)

set(texts "")
set(rows "")
foreach(file IN LISTS files)
  get_filename_component(name ${file} NAME)
  string(MAKE_C_IDENTIFIER text_${name} symbol)
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND texts "static const char ${symbol}[] = {\n${bytes}0};\n\n")
  file(STRINGS ${file} broken REGEX "^-- Breaks programs before [0-9][0-9][0-9][0-9]: ")
  string(REGEX REPLACE "^-- Breaks programs before 0*([0-9]+): .*" "\\1" breaks_before "${broken}")
  if(NOT breaks_before)
    set(breaks_before 0)
  endif()
  string(APPEND rows "    {\"${name}\", ${symbol}, ${breaks_before}},\n")
endforeach()
file(WRITE ${OUTPUT}
  "#include \"common/db/schema.h\"\n\n${texts}"
  "const struct schema_file schema_files[] = {\n${rows}};\n"
  "const size_t schema_file_count = sizeof(schema_files) / sizeof(schema_files[0]);\n")
