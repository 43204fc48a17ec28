// bart's table of prefixes without values, asked as ../../look_ups.h says.
//
// usage: bart FILE QUESTIONS
package main

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/gaissmai/bart"
)

const (
	rounds  = 15
	lookUps = 200000
)

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func cpuNs() float64 {
	var usage syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func readTable(path string) (*bart.Lite, bool) {
	table, isV6 := new(bart.Lite), false
	file, err := os.Open(path)
	fail(err)
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text := lines.Text()
		if !strings.Contains(text, "/") {
			text += map[bool]string{false: "/32", true: "/128"}[strings.Contains(text, ":")]
		}
		prefix, err := netip.ParsePrefix(text)
		fail(err)
		table.Insert(prefix)
		isV6 = prefix.Addr().Is6()
	}
	return table, isV6
}

func readQuestions(path string, isV6 bool) []netip.Addr {
	bytes, err := os.ReadFile(path)
	fail(err)
	questions := make([]netip.Addr, lookUps)
	for i := range questions {
		all := [16]byte(bytes[16*i : 16*i+16])
		questions[i] = netip.AddrFrom4([4]byte(all[:4]))
		if isV6 {
			questions[i] = netip.AddrFrom16(all)
		}
	}
	return questions
}

func main() {
	runtime.GOMAXPROCS(1)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	table, isV6 := readTable(os.Args[1])
	runtime.GC()
	runtime.ReadMemStats(&after)
	bytes := after.HeapAlloc - before.HeapAlloc
	fmt.Printf("{\"hot_bytes\": %d, \"all_bytes\": %d}\n", bytes, bytes)
	questions := readQuestions(os.Args[2], isV6)
	mask := len(os.Args) - 3 // zero
	for range rounds {
		listed, again := 0, 0
		started := cpuNs()
		for i := range questions {
			if table.Contains(questions[i]) {
				listed++
			}
		}
		middle := cpuNs()
		for i := range questions {
			if table.Contains(questions[i+again&mask]) {
				again++
			}
		}
		ended := cpuNs()
		if listed != again {
			fail(fmt.Errorf("a question was answered in two ways"))
		}
		fmt.Printf("{\"independent\": %.2f, \"dependent\": %.2f, \"listed\": %d}\n", (middle-started)/lookUps,
			(ended-middle)/lookUps, listed)
	}
}
