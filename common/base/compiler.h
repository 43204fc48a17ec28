// Compiler attributes by the names that the rest of the tree uses. gcc 12 and clang 14 and later.
#ifndef LATCHKEY_COMMON_BASE_COMPILER_H
#define LATCHKEY_COMMON_BASE_COMPILER_H

// The result says whether the call worked: dropping it is a bug and a warning, and warnings are errors.
#define MUST_CHECK __attribute__((warn_unused_result))

// Checked like printf: `format_number` is the number of the format argument, `first` that of the first value.
#define PRINTF_LIKE(format_number, first) __attribute__((format(printf, format_number, first)))

#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

// The value of a macro as a string literal.
#define AS_TEXT(macro) AS_TEXT_OF(macro)
#define AS_TEXT_OF(text) #text

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

// The object of `type` whose member `member` is at `pointer`.
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
