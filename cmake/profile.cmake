# What Validate runs through, compiled by a profile of it (LATCHKEY_PROFILE, docs/decisions/0030): the same sources are
# built a second time in profile/, counting, tests/programs/profile_validate.c is run there, and the compiler lays out
# and inlines by what it has counted. Once for each build directory: a source that has changed since is compiled without,
# until profile/ is removed. What was not run is compiled as ever.
set(LATCHKEY_PROFILE OFF CACHE STRING "Optimise what serves Validate by a profile: ON, OFF (COUNT: the build that counts)")
set_property(CACHE LATCHKEY_PROFILE PROPERTY STRINGS ON OFF COUNT)

set(profile_build ${CMAKE_BINARY_DIR}/profile)
set(profile_paths -fprofile-prefix-path=${CMAKE_BINARY_DIR})
check_c_compiler_flag(${profile_paths} HAVE_PROFILE_PREFIX_PATH) # gcc 12
pkg_check_modules(PROFILE_CMOCKA QUIET cmocka) # which the image of the unit tests is made with
if(LATCHKEY_PROFILE STREQUAL "ON" AND NOT (LATCHKEY_LTO AND HAVE_PROFILE_PREFIX_PATH AND PROFILE_CMOCKA_FOUND))
  message(STATUS "profile: none, it wants gcc 12, cmocka and LATCHKEY_LTO")
  set(LATCHKEY_PROFILE OFF)
endif()

# In the build that counts the same files have the same names, nghttp2's source too.
function(latchkey_make_profile)
  if(NOT LATCHKEY_PROFILE STREQUAL "ON")
    return()
  endif()
  file(MAKE_DIRECTORY ${profile_build})
  if(EXISTS ${LATCHKEY_NGHTTP2_DIR})
    file(CREATE_LINK ${LATCHKEY_NGHTTP2_DIR} ${profile_build}/nghttp2 SYMBOLIC)
  endif()
  add_custom_command(OUTPUT ${profile_build}/counted
    COMMAND ${CMAKE_COMMAND} -S ${CMAKE_SOURCE_DIR} -B ${profile_build} -G ${CMAKE_GENERATOR}
      -DCMAKE_C_COMPILER=${CMAKE_C_COMPILER} -DCMAKE_BUILD_TYPE=${CMAKE_BUILD_TYPE} -DBUILD_TESTING=ON
      -DLATCHKEY_NGHTTP2=${LATCHKEY_NGHTTP2} -DLATCHKEY_PROFILE=COUNT
    COMMAND ${CMAKE_COMMAND} --build ${profile_build} --target profile-validate
    COMMAND ${profile_build}/bin/tests/profile-validate
    COMMAND ${CMAKE_COMMAND} -E touch ${profile_build}/counted
    COMMENT "Counting what Validate runs through" VERBATIM USES_TERMINAL)
  add_custom_target(latchkey_profile DEPENDS ${profile_build}/counted)
endfunction()

function(latchkey_compile_by_profile target)
  if(LATCHKEY_PROFILE STREQUAL "COUNT")
    set(flags -fprofile-generate=${CMAKE_BINARY_DIR}/counts -fprofile-update=atomic)
    target_link_options(${target} PUBLIC -fprofile-generate)
  elseif(LATCHKEY_PROFILE STREQUAL "ON")
    set(flags -fprofile-use=${profile_build}/counts -fprofile-partial-training -fprofile-correction
      -Wno-missing-profile -Wno-coverage-mismatch)
    add_dependencies(${target} latchkey_profile)
  else()
    return()
  endif()
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:C>:${flags};${profile_paths}>")
endfunction()
