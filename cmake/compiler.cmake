# How every C file of ours is compiled: the target latchkey_compiler carries warnings, hardening and sanitizers.
# Generated code (proto/) does not link it, so that our warnings bind only what we write.
include(CheckCCompilerFlag)

# Assertions stay on in every build: there is no NDEBUG.
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O2 -g")
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE RelWithDebInfo)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT DEFINED CMAKE_C_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_ASM_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# No directory of this machine in assertion texts, debug information, and so in the build's id, whatever is compiled here: two
# builds are the same bytes, wherever they stand. The later one is tried first.
set(prefix_maps -ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -ffile-prefix-map=${CMAKE_BINARY_DIR}=build)
add_compile_options(${prefix_maps})

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_C_VISIBILITY_PRESET hidden) # what nobody may replace can be inlined
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

add_library(latchkey_compiler INTERFACE)
target_include_directories(latchkey_compiler INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(latchkey_compiler INTERFACE _GNU_SOURCE LATCHKEY_VERSION="${PROJECT_VERSION}")

function(latchkey_compile_options)
  foreach(flag IN LISTS ARGN)
    string(MAKE_C_IDENTIFIER "HAVE_C${flag}" known)
    check_c_compiler_flag(${flag} ${known})
    if(${known})
      target_compile_options(latchkey_compiler INTERFACE $<$<COMPILE_LANGUAGE:C>:${flag}>)
    endif()
  endforeach()
endfunction()

# Warnings are errors. The second line is gcc's alone.
latchkey_compile_options(
  -Werror -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith
  -Wvla -Wformat=2 -Wundef -Wwrite-strings -Wimplicit-fallthrough -Wnested-externs -Wdate-time
  -Wlogical-op -Wduplicated-cond -Walloca)

# gcc clears and copies whatever is between 32 bytes and 8 KiB by `rep stos` and `rep movs`, which take longer to begin
# than most of our structures take to clear.
latchkey_compile_options(
  -mmemset-strategy=unrolled_loop:256:noalign,libcall:-1:noalign
  -mmemcpy-strategy=unrolled_loop:256:noalign,libcall:-1:noalign)

macro(latchkey_sanitize sanitizers)
  # For whole directories, not by latchkey_compiler: generated code is instrumented too, and every link needs the
  # run-time library.
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  if(LATCHKEY_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
endmacro()

# What else is built here is hardened in the same way, by LATCHKEY_HARDENING.
function(latchkey_harden)
  set(flags -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$<IF:$<C_COMPILER_ID:GNU>,3,2>)
  foreach(flag -fstack-protector-strong -fstack-clash-protection -fcf-protection=full)
    string(MAKE_C_IDENTIFIER "HAVE_C${flag}" known)
    check_c_compiler_flag(${flag} ${known})
    if(${known})
      list(APPEND flags ${flag})
    endif()
  endforeach()
  target_compile_options(latchkey_compiler INTERFACE "$<$<COMPILE_LANGUAGE:C>:${flags}>")
  set(LATCHKEY_HARDENING ${flags} PARENT_SCOPE)
endfunction()

add_link_options(-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
if(LATCHKEY_SANITIZE)
  latchkey_sanitize(${LATCHKEY_SANITIZE})
else()
  latchkey_harden()
endif()

# -O3, and link-time optimisation, of what Validate runs through, in the programs that serve it: linking takes ten seconds
# more for each. The objects hold plain code as well, for the hundreds of programs that are linked without.
set(lto ON)
if(LATCHKEY_SANITIZE OR NOT CMAKE_C_COMPILER_ID STREQUAL "GNU")
  set(lto OFF)
endif()
option(LATCHKEY_LTO "Optimise the programs that serve Validate at link time" ${lto})

function(latchkey_compile_for_lto target)
  if(LATCHKEY_LTO)
    # The compiler's own table of lines: the assembler's begins with the build's directory, unmapped, where it is asked for two.
    target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:C>:-O3;-flto=auto;-ffat-lto-objects;-gno-as-loc-support>")
    latchkey_compile_by_profile(${target})
  endif()
endfunction()

# Both have to be said: the linker's plugin takes whatever it can optimise. What it compiles names directories, too.
if(LATCHKEY_LTO)
  add_link_options(${prefix_maps})
  target_link_options(latchkey_compiler INTERFACE
    $<IF:$<BOOL:$<TARGET_PROPERTY:LATCHKEY_LINKS_WITH_LTO>>,-flto=auto,-fno-lto>)
endif()

function(latchkey_link_with_lto program)
  set_target_properties(${program} PROPERTIES LATCHKEY_LINKS_WITH_LTO TRUE)
endfunction()
