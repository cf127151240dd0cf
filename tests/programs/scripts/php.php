<?php
// What php's extensions do with memory: each of them is a module that php loads, and its library
// behind it allocates and frees on its own.
mt_srand(7);

// Arrays and strings of the language itself.
$rows = [];
for ($i = 0; $i < 20000; $i++) {
    $rows["key" . ($i * 7919 % 20011)] = str_repeat(chr(97 + $i % 26), $i % 300);
}
ksort($rows);
$sum = 0;
foreach ($rows as $key => $text) {
    $sum = ($sum * 31 + crc32($key . $text)) % 1000000007;
}
echo count($rows), " rows, sum $sum\n";

// dom, xpath, SimpleXML, xsl: libxml.
$document = new DOMDocument();
$document->formatOutput = true;
$root = $document->appendChild($document->createElement('list'));
for ($i = 0; $i < 2000; $i++) {
    $item = $root->appendChild($document->createElement('item', "text $i"));
    $item->setAttribute('number', (string)($i % 97));
}
$text = $document->saveXML();
echo strlen($text), " bytes of XML, ", md5($text), "\n";
$again = new DOMDocument();
$again->loadXML($text);
$path = new DOMXPath($again);
echo $path->query("//item[@number='42']")->length, " items\n";
foreach ($path->query("//item[@number mod 2 = 0]") as $node) {
    $node->parentNode->removeChild($node);
}
echo md5($again->saveXML()), "\n";
$simple = simplexml_load_string($text);
echo count($simple->item), " ", (string)$simple->item[77], "\n";
libxml_use_internal_errors(true);
var_dump(simplexml_load_string("<wrong><xml></wrong>"));
echo count(libxml_get_errors()), " errors\n";
$reader = new XMLReader();
$reader->XML($text);
for ($count = 0; $reader->read(); $count++);
echo "$count nodes\n";

// mbstring and iconv.
$wide = mb_convert_encoding(str_repeat("grüße, κόσμε, 世界 ", 3000), 'UTF-16LE', 'UTF-8');
echo strlen($wide), " ", md5(mb_strtoupper(mb_convert_encoding($wide, 'UTF-8', 'UTF-16LE'))), "\n";
echo mb_ereg_replace('[α-ω]+', '-', 'abc κόσμε def'), " ", iconv('UTF-8', 'ISO-8859-1', 'grüße') === "gr\xfc\xdfe" ? 'same' : 'other', "\n";

// A database in memory.
$base = new SQLite3(':memory:');
$base->exec('CREATE TABLE t (n INTEGER PRIMARY KEY, words TEXT)');
$insert = $base->prepare('INSERT INTO t VALUES (?, ?)');
for ($i = 0; $i < 3000; $i++) {
    $insert->bindValue(1, $i);
    $insert->bindValue(2, str_repeat("word$i ", $i % 40));
    $insert->execute();
    $insert->reset();
}
echo $base->querySingle('SELECT count(*) || sum(length(words)) FROM t WHERE n % 3 = 1'), "\n";

// Regular expressions, compressed and hashed streams, JSON.
echo preg_replace_callback('/(\d+)/', fn($found) => $found[1] * 2, '1 22 333'), "\n";
$packed = gzcompress(str_repeat("packed ", 100000), 9);
echo strlen(gzuncompress($packed)), " ", hash('sha256', $packed), "\n";
echo md5(json_encode(json_decode(json_encode($rows), true))), "\n";

// Objects in a ring, for the collector of cycles.
for ($i = 0; $i < 30000; $i++) {
    $a = new stdClass();
    $b = new stdClass();
    $a->other = $b;
    $b->other = $a;
}
echo gc_collect_cycles() > 0 ? "collected" : "nothing", "\n";
