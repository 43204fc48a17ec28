# The libraries taken from the distribution, each an imported target PkgConfig::NAME. Which layer may use which is
# said in common/CMakeLists.txt and services/CMakeLists.txt.
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

function(latchkey_find_library name package)
  pkg_check_modules(${name} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${package})
endfunction()

latchkey_find_library(NGHTTP2 "libnghttp2>=1.52")
latchkey_find_library(PROTOBUF_C "libprotobuf-c>=1.4")
latchkey_find_library(PQ "libpq>=14")
latchkey_find_library(OPENSSL "openssl>=3.0")
latchkey_find_library(UV "libuv>=1.44")
latchkey_find_library(URCU_QSBR "liburcu-qsbr>=0.13")
latchkey_find_library(URCU_CDS "liburcu-cds>=0.13") # tests/bench alone
latchkey_find_library(ZLIB zlib)
latchkey_find_library(IDN2 "libidn2>=2.3")
latchkey_find_library(PSL "libpsl>=0.21")
latchkey_find_library(CURL "libcurl>=7.80")
latchkey_find_library(MICROHTTPD "libmicrohttpd>=0.9.70")
latchkey_find_library(JANSSON "jansson>=2.13")
latchkey_find_library(CJOSE "cjose>=0.6.1")
if(BUILD_TESTING)
  latchkey_find_library(CMOCKA "cmocka>=1.1.5")
endif()
