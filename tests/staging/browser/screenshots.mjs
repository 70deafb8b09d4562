// SPDX-License-Identifier: BSL-1.0

// Makes the pictures of the live page that README.md shows: a light desk and a dark phone.
//
// node tests/staging/browser/screenshots.mjs [SERVER [DIRECTORY]]   takes two minutes; looks best with fonts-inter
//   SERVER     build/release/examples/staging/brownout_staging_server
//   DIRECTORY  docs/images
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { StagingServer, eventually, key, launchBrowser, pause } from "./session.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [program = `${root}build/release/examples/staging/brownout_staging_server`, directory = `${root}docs/images`] =
  process.argv.slice(2);
mkdirSync(directory, { recursive: true });

// A bare machine has one font, which no reader's has: take Inter for the system's font, where it is installed.
const fonts = mkdtempSync(`${tmpdir()}/brownout-fonts-`);
process.on("exit", () => rmSync(fonts, { recursive: true }));
const prefer = (family) =>
  `<alias binding="strong"><family>${family}</family><prefer><family>Inter</family></prefer></alias>`;
writeFileSync(`${fonts}/fonts.conf`, `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include>/etc/fonts/fonts.conf</include>${prefer("sans-serif")}${prefer("system-ui")}</fontconfig>`);

const browser = await launchBrowser({ FONTCONFIG_FILE: `${fonts}/fonts.conf` });
const server = await StagingServer.start(program, {
  HEALTH_CHECK_INTERVAL: "0.5", DEGRADATION_DWELL: "2", OPENAI_CB_RECOVERY_TIMEOUT: "5", DB_CB_RECOVERY_TIMEOUT: "20",
  REDIS_CB_RECOVERY_TIMEOUT: "5", S3_CB_RECOVERY_TIMEOUT: "5",
});

async function outage(name, seconds) {
  await server.simulate(name, "down");
  await pause(seconds * 1000);
  await server.simulate(name, "up");
  await pause(9000);
}

async function picture(file, { colorScheme, width, height }) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme });
  const page = await context.newPage();
  await page.addInitScript((kept) => sessionStorage.setItem("brownout-staging-key", kept), key);
  await page.goto(server.address);
  await page.waitForSelector("#view:not([hidden])");
  await pause(500);
  await page.screenshot({ path: `${directory}/${file}` });
  await context.close();
}

try {
  await pause(20000);
  await outage("s3", 8);
  await outage("redis", 12);
  await outage("database", 4);
  await pause(15000);
  await server.simulate("redis", "down");
  await server.simulate("database", "down");
  await eventually("MINIMAL", async () => (await server.overview()).degradation.degradation_level === "MINIMAL", 20000);
  await pause(30000);
  await picture("page-desk-light.png", { colorScheme: "light", width: 1200, height: 1010 });
  await picture("page-phone-dark.png", { colorScheme: "dark", width: 390, height: 860 });
} finally {
  await browser.close();
  server.stop();
}
