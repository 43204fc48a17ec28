"""The goals that Latchkey's path of validation is held to, each with the figure that shows it, and what comes next where it is
missed. What may not be exceeded stands beside the figure itself, in its benchmark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Goal:
    sentence: str
    bench: str
    case: str
    peer_name: str
    next_idea: str = ""

    def find(self, records):
        """Its record, or None where that was not measured."""
        return next((record for record in records if (record.bench, record.case, record.peer_name) ==
                     (self.bench, self.case, self.peer_name)), None)


_STREAMS = "{} streams per connection"
_TRANSPORT_IDEA = ("A header block whose bytes and table are those of the call before it, read once (docs/decisions/0037). Below that gets who "
                   "parses HTTP/2 without nghttp2's map of streams.")
_TAIL_IDEA = ("A machine that is nobody else's: at 20 000 the raw limit's own is no lower (beside it in the table). Then shorter turns of the "
              "loop: a cap on what one read takes in, and the answers of its first calls written earlier.")

GOALS = (
    Goal("A whole decision costs no more than nghttp2's constant answer, one call at a time", "validate", _STREAMS.format(1), "raw nghttp2",
         _TRANSPORT_IDEA),
    Goal("The same at 100 streams", "validate", _STREAMS.format(100), "raw nghttp2", _TRANSPORT_IDEA),
    Goal("An eighth of grpc++ at 100 streams", "validate", _STREAMS.format(100), "grpc++", _TRANSPORT_IDEA),
    Goal("An eighth of grpc-go at 100 streams", "validate", _STREAMS.format(100), "grpc-go", _TRANSPORT_IDEA),
    Goal("A third of tonic at 100 streams", "validate", _STREAMS.format(100), "tonic", _TRANSPORT_IDEA),
    Goal("A check in a batch of 1000 costs a sixth of a unary call", "batch", "ValidateBatch of 1000", "unary, 100 streams",
         "What an item costs stayed while a call of its own got cheaper by a quarter; it is 0.6 of a whole call of pajamax, and no part of "
         "it has a tenth (docs/decisions/0034). Answers written where they are sent from: they are copied twice on their way to the "
         "kernel, which copies them again."),
    Goal("The same on a stream", "batch", "ValidateStream of 1000", "unary, 100 streams",
         "Messages handed over by the read, not one by one, and decided where they lie."),
    Goal("TLS costs a quarter more than plaintext", "tls", _STREAMS.format(100), "plaintext",
         "The cipher is the CPU's: larger records, and kernel TLS where the kernel has it."),
    Goal("Random ones among 10 000 000 tokens cost 1.3 times a thousand warm ones", "tokens", "uniform, 100 streams", "1000 tokens",
         "Buckets in huge pages, as the records are: each of the two reads of one waits for the page table first."),
    Goal("p99 at 20 000 calls/s is an eighth of grpc-go's", "latency", "20000 calls/s, p99", "grpc-go", _TAIL_IDEA),
    Goal("p99 at 50 000 calls/s is that of raw nghttp2 but for a third", "latency", "50000 calls/s, p99", "raw nghttp2", _TAIL_IDEA),
    Goal("p99 at 50 000 calls/s is a third of tonic's", "latency", "50000 calls/s, p99", "tonic", _TAIL_IDEA),
    Goal("A token takes 64 bytes among 10 000 000, record and both indexes", "token_table",
         "10000000 tokens, record and both indexes", "design", "Shorter records: policies of one company side by side."),
    Goal("A look-up in 1 000 000 prefixes takes 1.5 times the best public structure's time, questions one after the other", "ip_set",
         "1000000 hosts, dependent", "bart", "Fences and directory as one level that the first 16 bits index."),
    Goal("The same with several under way", "ip_set", "1000000 hosts, independent", "bart",
         "Fences and directory as one level that the first 16 bits index."),
    Goal("10 bytes for each of 1 000 000 prefixes", "ip_set", "1000000 hosts, read by look-ups", "the goal",
         "Blocks of other sizes where prefixes are sparse."),
    Goal("One entry of 1 000 000 changed is in force within 50 ms", "whitelist", "one changed, effective p99 of 1000000 entries", "50 ms",
         "The follower's reading of the prefix that has changed and the commit itself are what is left."),
    Goal("A commit is in force within 10 ms, p99", "currency", "committed to refused, hint, p99", "10 ms",
         "The commit's own way to the disk and the hint's through PostgreSQL are what is left."),
    Goal("No turn of a reader takes a millisecond while an image grows and shrinks", "reader_pause", "growing and shrinking, the longest",
         "1 ms", "What the kernel does in the reader's name: page faults, and interrupts of others."),
    Goal("Validate costs 1.2 times the idle CPU time beside 5 000 changes a second", "currency", "Validate beside them, the loop's CPU time",
         "no changes", "The caches that the follower shares with the loop: another core for it."),
    Goal("p99 of Validate beside 5 000 changes a second is 1.2 times the idle one", "currency", "Validate beside them, p99", "no changes",
         "A quieter machine: without changes the p99 of a second was 0.3 to 2.2 ms in eight rounds; the follower takes 3 % of the core."),
    Goal("From start to ready in 1.3 times a raw COPY BINARY of the same rows", "cold_start", "1000000 tokens", "COPY",
         "PostgreSQL's join of tokens and secrets, whose tables each connection reads as a whole: partitions of the tables by hash."),
)
