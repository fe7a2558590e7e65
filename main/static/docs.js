"use strict";

// Starts Swagger UI. A login through POST /auth leaves a cookie that the browser sends by itself; calls that change something then also need the
// CSRF token of that login, which is added here.
const place = document.getElementById("swagger-ui");
const safe = ["GET", "HEAD", "OPTIONS"];
const logsIn = /\/auth(\/refresh)?$/;
let token = null;

async function fetchToken() {
  const answer = await fetch(place.dataset.caller, { headers: { Accept: "application/json" } });
  return answer.ok ? (await answer.json()).csrf_token : null;
}

async function addToken(request) {
  const method = (request.method || "GET").toUpperCase();
  const proven = Object.keys(request.headers).some((name) => ["authorization", "x-api-key"].includes(name.toLowerCase()));
  const path = new URL(request.url, location.href).pathname;
  if (safe.includes(method) || proven || (method === "POST" && logsIn.test(path))) {
    return request;
  }
  token = token || (await fetchToken());
  if (token) {
    request.headers["X-CSRF-Token"] = token;
  }
  return request;
}

function keepToken(response) {
  if (response.ok && /\/auth(\/me|\/refresh)?$/.test(new URL(response.url, location.href).pathname)) {
    token = (response.obj && response.obj.csrf_token) || null;
  }
  return response;
}

window.ui = SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset.slice(1)],
  plugins: [SwaggerUIBundle.plugins.DownloadUrl],
  validatorUrl: null,
  docExpansion: "list",
  displayRequestDuration: true,
  requestInterceptor: addToken,
  responseInterceptor: keepToken,
});
