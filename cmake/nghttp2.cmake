# nghttp2, in which most of a call's time is spent, as the target latchkey_nghttp2: built here from the distribution's own
# source, of the very version that is installed, so that `apt upgrade` and a build are what keeps it patched. See
# docs/decisions/0025.
set(nghttp2_origin source)
if(LATCHKEY_SANITIZE)
  set(nghttp2_origin shared)
endif()
set(LATCHKEY_NGHTTP2 ${nghttp2_origin} CACHE STRING
  "Which nghttp2 to link: source, static, shared. What can't be had falls back to the next.")
set_property(CACHE LATCHKEY_NGHTTP2 PROPERTY STRINGS source static shared)

set(LATCHKEY_NGHTTP2_DIR ${CMAKE_BINARY_DIR}/nghttp2)

function(latchkey_find_nghttp2_version ret_version)
  execute_process(COMMAND dpkg-query -W -f "\${source:Version}" libnghttp2-dev
    OUTPUT_VARIABLE version ERROR_QUIET RESULT_VARIABLE failure)
  if(failure)
    set(version "")
  endif()
  set(${ret_version} "${version}" PARENT_SCOPE)
endfunction()

# Fetched once for each version; where that has failed, tried again when cmake is told so (--fresh).
function(latchkey_fetch_nghttp2 version ret_is_there)
  set(present "")
  if(EXISTS ${LATCHKEY_NGHTTP2_DIR}/version)
    file(STRINGS ${LATCHKEY_NGHTTP2_DIR}/version present)
  endif()
  if(version AND NOT present STREQUAL version AND NOT LATCHKEY_NGHTTP2_MISSING STREQUAL version)
    message(STATUS "nghttp2: fetching the source of ${version}")
    execute_process(
      COMMAND ${CMAKE_SOURCE_DIR}/cmake/fetch_nghttp2.sh ${LATCHKEY_NGHTTP2_DIR} ${version}
      OUTPUT_FILE ${CMAKE_BINARY_DIR}/nghttp2.log ERROR_FILE ${CMAKE_BINARY_DIR}/nghttp2.log RESULT_VARIABLE failure)
    if(failure)
      message(WARNING "the source of nghttp2 ${version} can't be had: see ${CMAKE_BINARY_DIR}/nghttp2.log")
      set(LATCHKEY_NGHTTP2_MISSING ${version} CACHE INTERNAL "")
    else()
      set(present ${version})
    endif()
  endif()
  if(version AND present STREQUAL version)
    set(${ret_is_there} TRUE PARENT_SCOPE)
  else()
    set(${ret_is_there} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Hidden, so that the shared library, which comes with libcurl, keeps its own functions. Its headers are the
# distribution's.
function(latchkey_build_nghttp2)
  file(GLOB sources ${LATCHKEY_NGHTTP2_DIR}/lib/*.c)
  add_library(latchkey_built_nghttp2 STATIC ${sources})
  target_include_directories(latchkey_built_nghttp2 PRIVATE ${LATCHKEY_NGHTTP2_DIR}/lib)
  target_compile_definitions(latchkey_built_nghttp2
    PRIVATE NGHTTP2_STATICLIB HAVE_ARPA_INET_H HAVE_NETINET_IN_H HAVE_TIME_H HAVE_CLOCK_GETTIME _GNU_SOURCE)
  target_compile_options(latchkey_built_nghttp2 PRIVATE -O3 -w ${LATCHKEY_HARDENING})
  latchkey_compile_for_lto(latchkey_built_nghttp2)
endfunction()

# A program whose property LATCHKEY_LINKS_SHARED_NGHTTP2 is set gets that one, whatever was chosen.
function(latchkey_take_nghttp2 library)
  add_library(latchkey_nghttp2 INTERFACE)
  target_link_libraries(latchkey_nghttp2 INTERFACE
    $<IF:$<BOOL:$<TARGET_PROPERTY:LATCHKEY_LINKS_SHARED_NGHTTP2>>,PkgConfig::NGHTTP2,${library}>)
  target_link_options(latchkey_nghttp2 INTERFACE -Wl,--exclude-libs,libnghttp2.a)
endfunction()

function(latchkey_choose_nghttp2)
  latchkey_find_nghttp2_version(version)
  find_library(LATCHKEY_NGHTTP2_ARCHIVE libnghttp2.a HINTS ${NGHTTP2_LIBRARY_DIRS})
  set(is_there FALSE)
  if(LATCHKEY_NGHTTP2 STREQUAL "source")
    latchkey_fetch_nghttp2("${version}" is_there)
  endif()
  if(is_there)
    set(origin "source")
    latchkey_build_nghttp2()
    latchkey_take_nghttp2(latchkey_built_nghttp2)
  elseif(LATCHKEY_NGHTTP2_ARCHIVE AND NOT LATCHKEY_NGHTTP2 STREQUAL "shared")
    set(origin "static")
    latchkey_take_nghttp2(${LATCHKEY_NGHTTP2_ARCHIVE})
  else()
    set(origin "shared")
    latchkey_take_nghttp2(PkgConfig::NGHTTP2)
  endif()
  if(NOT version)
    set(version ${NGHTTP2_VERSION})
  endif()
  message(STATUS "nghttp2: ${version}, ${origin} (LATCHKEY_NGHTTP2=${LATCHKEY_NGHTTP2})")
  set(LATCHKEY_NGHTTP2_ORIGIN "${origin}, ${version}" PARENT_SCOPE)
endfunction()

latchkey_choose_nghttp2()
