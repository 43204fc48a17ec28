# cmake -D MODE=AUTO -D SOURCES=console -D PROTO=proto -D WORK=build/console -D OUTPUT=console_files.c -P write_console_table.cmake
#
# Builds the console's pages in a copy of their sources, so that several builds do not meet there, and writes every file of
# them as a C array, and the table of them, as services/console/console_files.h declares it. Where SOURCES has them built
# already (dist/), and npm is not there, those are taken.
find_program(npm npm)
set(dist ${WORK}/dist)

function(lack reason)
  if(MODE STREQUAL "ON")
    message(FATAL_ERROR "the console: ${reason}")
  endif()
  message(WARNING "built without the console: ${reason}")
endfunction()

# Packages are fetched anew only where the lock file names others.
function(install_packages)
  file(MD5 ${SOURCES}/package-lock.json lock)
  set(stamp ${WORK}/console/node_modules/.latchkey-${lock})
  if(EXISTS ${stamp})
    return()
  endif()
  execute_process(COMMAND ${npm} ci --prefer-offline --no-audit --no-fund --loglevel=error
                  WORKING_DIRECTORY ${WORK}/console RESULT_VARIABLE result)
  if(result EQUAL 0)
    file(TOUCH ${stamp})
  endif()
endfunction()

function(build_pages)
  file(GLOB old ${WORK}/console/*)
  list(FILTER old EXCLUDE REGEX "/node_modules$")
  file(REMOVE_RECURSE ${old} ${dist})
  file(COPY ${SOURCES}/ DESTINATION ${WORK}/console PATTERN node_modules EXCLUDE PATTERN dist EXCLUDE PATTERN gen EXCLUDE)
  file(CREATE_LINK ${PROTO} ${WORK}/proto SYMBOLIC)
  install_packages()
  execute_process(COMMAND ${npm} run --silent build -- ${dist} WORKING_DIRECTORY ${WORK}/console RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    file(REMOVE_RECURSE ${dist})
    lack("npm can't build it; what it says stands above")
  endif()
endfunction()

if(MODE STREQUAL "OFF")
  file(REMOVE_RECURSE ${dist})
elseif(npm AND EXISTS ${SOURCES}/package-lock.json)
  build_pages()
elseif(EXISTS ${SOURCES}/dist/index.html)
  set(dist ${SOURCES}/dist)
else()
  file(REMOVE_RECURSE ${dist})
  lack("npm is not there")
endif()

file(GLOB_RECURSE files RELATIVE ${dist} ${dist}/*)
list(SORT files)
set(texts "")
set(rows "")
foreach(file IN LISTS files)
  string(MAKE_C_IDENTIFIER file_${file} symbol)
  file(READ ${dist}/${file} bytes HEX)
  string(REGEX REPLACE "(................................)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
  string(APPEND texts "static const uint8_t ${symbol}[] = {\n${bytes}};\n\n")
  string(APPEND rows "    {\"/${file}\", ${symbol}, sizeof(${symbol})},\n")
endforeach()
file(WRITE ${OUTPUT}
  "#include \"services/console/console_files.h\"\n\n${texts}"
  "const struct console_file console_files[] = {\n${rows}    {NULL, NULL, 0},\n};\n"
  "const size_t console_file_count = sizeof(console_files) / sizeof(console_files[0]) - 1;\n")
