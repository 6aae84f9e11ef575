<?php
// What PHP's reader makes of JSON-RPC bodies. A body a line, in hex; see `programs.rs`.
const KEYS = [
    'tools/call' => 'name', 'prompts/get' => 'name',
    'resources/read' => 'uri', 'resources/subscribe' => 'uri', 'resources/unsubscribe' => 'uri',
    'tasks/get' => 'taskId', 'tasks/update' => 'taskId', 'tasks/cancel' => 'taskId',
];

function field($value): string
{
    if ($value === null) return '-';
    return is_string($value) ? '=' . bin2hex($value) : '?';
}

function one($message): string
{
    // An object is an object, or an array with keys that are names.
    $members = is_object($message) ? get_object_vars($message) : $message;
    if (!is_array($members)) return '-/-';
    $method = $members['method'] ?? null;
    $params = $members['params'] ?? null;
    $params = is_object($params) ? get_object_vars($params) : $params;
    $key = is_string($method) ? (KEYS[$method] ?? null) : null;
    $name = $key !== null && is_array($params) ? ($params[$key] ?? null) : null;
    return field($method) . '/' . field($name);
}

function told(callable $parse, string $body): string
{
    try {
        $parsed = $parse($body);
    } catch (Throwable) {
        return 'refused';
    }
    $messages = is_array($parsed) && array_is_list($parsed) ? $parsed : [$parsed];
    return implode(';', array_map('one', $messages)) ?: 'none';
}

$throw = JSON_THROW_ON_ERROR;
$variants = [
    'json_decode, arrays' => fn($body) => json_decode($body, true, 512, $throw),
    'json_decode, objects' => fn($body) => json_decode($body, false, 512, $throw),
    'json_decode, characters ignored' => fn($body) => json_decode($body, true, 512, $throw | JSON_INVALID_UTF8_IGNORE),
    'json_decode, characters replaced' => fn($body) => json_decode($body, true, 512, $throw | JSON_INVALID_UTF8_SUBSTITUTE),
];
echo implode("\t", array_keys($variants)), "\n";
while (($line = fgets(STDIN)) !== false) {
    $body = hex2bin(trim($line));
    echo implode("\t", array_map(fn($parse) => told($parse, $body), $variants)), "\n";
}
