// SPDX-License-Identifier: BSL-1.0
// What the page asks the server, and how often.

export const EVERY_MS = 2000;
export const HIDDEN_EVERY_MS = 60000; // so that the title of a tab in the background stays true
const ANSWER_WITHIN_MS = 10000;
const OVERVIEW = "/api/overview";

// 2 s; longer when less is left of the rate limit than that would use. A quarter is left to others at this address.
export function pace(headers) {
  const limit = Number(headers.get("RateLimit-Limit"));
  if (!(limit > 0)) return EVERY_MS;
  const spare = Number(headers.get("RateLimit-Remaining")) - limit / 4;
  return Math.max(EVERY_MS, (Number(headers.get("RateLimit-Reset")) * 1000) / Math.max(spare, 1));
}

function whatIsWrong(status) {
  if (status === 429) return "The rate limit is used up; the page goes on when the server allows it.";
  return `The server answers with an error, ${status}.`;
}

export class Server {
  #key = "";

  useKey(value) {
    this.#key = value;
  }

  #call(method, path, body) {
    const headers = { "X-API-Key": this.#key, ...(body && { "Content-Type": "application/json" }) };
    return fetch(path, {
      method, headers, body: body && JSON.stringify(body), cache: "no-store", credentials: "omit", redirect: "error",
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    });
  }

  // `status` 0: not reached. Without an overview, `trouble` says why.
  async ask() {
    let response;
    try {
      response = await this.#call("GET", OVERVIEW);
    } catch {
      return { status: 0, wait: EVERY_MS, trouble: "The server can’t be reached; the page keeps trying." };
    }
    const { status, headers } = response;
    if (!response.ok) {
      return { status, wait: Number(headers.get("Retry-After")) * 1000 || EVERY_MS, trouble: whatIsWrong(status) };
    }
    try {
      return { status, wait: pace(headers), received: Date.now(), overview: await response.json() };
    } catch {
      return { status, wait: EVERY_MS, trouble: "The answer is not this server’s JSON. Is a proxy in between?" };
    }
  }

  // Empty when it was done; otherwise what to tell the person who asked.
  async act(method, path, body) {
    let response;
    try {
      response = await this.#call(method, path, body);
    } catch {
      return "The server could not be reached. Whether it was done is unknown.";
    }
    if (response.ok) return "";
    const { error } = await response.json().catch(() => ({}));
    return error?.message ?? `The server refused: ${response.status}.`;
  }
}
