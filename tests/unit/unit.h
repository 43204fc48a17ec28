// What every unit test includes: cmocka, behind the headers that it needs but does not include itself.
#ifndef LATCHKEY_TESTS_UNIT_UNIT_H
#define LATCHKEY_TESTS_UNIT_UNIT_H

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

// What takes seconds otherwise takes a minute then.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIT_IS_SANITIZED 1
#else
#define UNIT_IS_SANITIZED 0
#endif

#endif
