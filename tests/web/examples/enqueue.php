<?php
// Queue a payment link from plain PHP. In Laravel it is:
//
//   $message = Http::withToken($token)->timeout(10)->retry(3, 500)
//       ->withHeaders(['Idempotency-Key' => 'REG-1:payment_link'])
//       ->post("$url/v1/messages", [
//           'to' => '0812-3456-7890',
//           'body' => 'Halo Budi, silakan bayar di https://bayar.example/REG-1',
//           'priority' => 'high',
//           'reference' => 'REG-1',
//       ])->throw()->json();
//
// With the key it is safe to try again: the second time gives the first message.
$url = getenv('WAQ_URL');
$token = getenv('WAQ_TOKEN');
$answer = file_get_contents("$url/v1/messages", false, stream_context_create(['http' => [
    'method' => 'POST',
    'timeout' => 10,
    'ignore_errors' => true,
    'header' => [
        "Authorization: Bearer $token",
        'Content-Type: application/json',
        'Idempotency-Key: REG-1:payment_link',
    ],
    'content' => json_encode([
        'to' => '0812-3456-7890',
        'body' => 'Halo Budi, silakan bayar di https://bayar.example/REG-1',
        'priority' => 'high',
        'reference' => 'REG-1',
    ]),
]]));
if ($answer === false || !str_contains($http_response_header[0], '202')) {
    fwrite(STDERR, "not queued: $answer\n");
    exit(1);
}
$message = json_decode($answer, true);
echo json_encode($message), "\n";
