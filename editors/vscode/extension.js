// The language client: starts `fwengine lsp` and asks what its commands need. Everything else is the server's.
"use strict";

const vscode = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

function start() {
  const settings = vscode.workspace.getConfiguration("fwengine");
  const [command, ...args] = settings.get("command");
  const documentSelector = [{ language: "fwl" }];
  if (settings.get("otherFirewalls")) {
    documentSelector.push({ pattern: "**/*.{rules,nft,nftables}" });
  }
  client = new LanguageClient("fwengine", "fwengine", { command, args }, { documentSelector });
  return client.start();
}

function here() {
  const editor = vscode.window.activeTextEditor;
  return editor ? editor.document.uri.toString() : undefined;
}

async function ask(command, ...args) {
  const answer = await client.sendRequest("workspace/executeCommand", { command, arguments: args });
  if (answer && answer.error) {
    vscode.window.showErrorMessage(answer.error);
  }
  return answer;
}

async function countCapture() {
  const uri = here();
  const chosen = uri && (await vscode.window.showOpenDialog({ title: "A capture", canSelectMany: false }));
  if (chosen && chosen.length) {
    await ask("fwengine.capture", uri, chosen[0].fsPath);
  }
}

async function askPacket() {
  const uri = here();
  const prompt = "A packet: tcp 5.6.7.8:1029 -> 192.0.2.80:80";
  const packet = uri && (await vscode.window.showInputBox({ prompt }));
  if (packet) {
    await ask("fwengine.evaluate", uri, packet);
  }
}

exports.activate = async function (context) {
  context.subscriptions.push(
    vscode.commands.registerCommand("fwengine.countCapture", countCapture),
    vscode.commands.registerCommand("fwengine.askPacket", askPacket),
    vscode.commands.registerCommand("fwengine.restart", () => client.restart()),
  );
  await start();
};

exports.deactivate = () => client && client.stop();
