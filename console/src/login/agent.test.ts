import assert from "node:assert/strict";
import {test} from "node:test";
import {agentName} from "./agent.ts";

const WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)";

test("a browser is known by its own name, not by those that it also says", () => {
    assert.equal(agentName(`Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/156.0.0.0 Safari/537.36`), "Chrome 156, Linux");
    assert.equal(agentName(`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0`), "Edge 150, Windows");
    assert.equal(agentName("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0"), "Firefox 140, macOS");
    assert.equal(agentName("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"), "Safari 18, iOS");
});

test("what is no browser is shown as it is, and cut", () => {
    assert.equal(agentName("curl/8.5.0"), "curl/8.5.0");
    assert.equal(agentName("x".repeat(500)).length, 61);
    assert.equal(agentName(""), "Not told");
});
