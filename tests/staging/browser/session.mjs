// SPDX-License-Identifier: BSL-1.0
// What the browser tests and the screenshots share: a staging server of their own, and Chromium.
import { spawn, spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));
export const key = "key-of-the-staging-tests";

// Where playwright-core is; ends the process with a line that says why there is no browser.
function findBrowser() {
  const found = spawnSync(`${root}cmake/install-dependencies`, ["--where", "browser"], { encoding: "utf8" });
  if (found.status === 0) return found.stdout.trim();
  console.log(`SKIPPED: needs Chromium and playwright-core: ${found.stderr.trim()}`);
  process.exit();
}

// `variables`: of its environment, beside the present ones.
export async function launchBrowser(variables = {}) {
  const { chromium } = createRequire(`${findBrowser()}/`)("playwright-core");
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    env: { ...process.env, ...variables },
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--no-first-run"],
  });
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Asks `holds` until it says yes; throws when it does not in time. The answer is what it said.
export async function eventually(what, holds, limit = 10000) {
  const deadline = Date.now() + limit;
  for (;;) {
    const said = await holds();
    if (said) return said;
    if (Date.now() > deadline) throw new Error(`not in ${limit} ms: ${what}`);
    await pause(50);
  }
}

export class StagingServer {
  static async start(program, variables) {
    const one = new StagingServer();
    one.child = spawn(program, [], {
      env: { DASHBOARD_API_KEY: key, API_PORT: "0", DASHBOARD_RATELIMIT_ENABLED: "false", ...variables },
      stdio: ["ignore", "pipe", "inherit"],
    });
    process.on("exit", () => one.stop());
    one.address = await new Promise((resolve, reject) => {
      createInterface({ input: one.child.stdout }).on("line", (line) => {
        const { message, address } = JSON.parse(line);
        if (message === "listening") resolve(address);
      });
      one.child.on("exit", () => reject(new Error("the server ended")));
    });
    return one;
  }

  stop() { this.child.kill(); }

  async #ask(method, path, body) {
    const response = await fetch(this.address + path, {
      method, body: body && JSON.stringify(body), headers: { "X-API-Key": key },
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
  get(path) { return this.#ask("GET", path); }
  post(path, body) { return this.#ask("POST", path, body); }
  overview() { return this.get("/api/overview"); }
  simulate(name, mode, more) { return this.post(`/api/simulate/${name}`, { mode, ...more }); }
  act(name, action, reason = "a test", actor = "the test") {
    return this.post(`/api/circuit-breakers/${name}/${action}`, { reason, actor });
  }
  override(kind, level, expiry = 600, reason = "a test", actor = "the test") {
    return this.post("/api/degradation/override", { kind, ...(level && { level }), reason, actor, expiry });
  }

  release(reason = "a test", actor = "the test") {
    return this.#ask("DELETE", "/api/degradation/override", { reason, actor });
  }

  // Everything up, nothing held, OPTIMAL, and a call of each that is called has succeeded since.
  async heal() {
    await this.release();
    for (const name of ["openai", "database", "redis", "s3"]) {
      await this.simulate(name, "up");
      await this.act(name, "reset");
    }
    await eventually("the server is healthy", async () => {
      const { degradation } = await this.overview();
      return degradation.degradation_level === "OPTIMAL" && degradation.health_score === 100;
    }, 20000);
    const { source } = await this.get("/api/recommendations");
    if (source !== "openai") throw new Error(`healed, and the answer is from ${source}`);
  }
}
