module latchkey.dev/bench/bart

go 1.22
