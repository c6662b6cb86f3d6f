package bluebucket.catalog;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.catalog.TableIdentifier;

/** A request of the REST catalog protocol: what it asks for, and about what. */
final class Request {
  /** Method and path with its names left out, as {@code GET namespaces/{}/tables/{}}. */
  final String shape;

  private final List<String> names = new ArrayList<>();
  private final HttpExchange exchange;
  private final byte[] body;
  private final ObjectMapper json;

  Request(HttpExchange exchange, String root, String prefix, ObjectMapper json) throws IOException {
    this.exchange = exchange;
    this.body = exchange.getRequestBody().readAllBytes();
    this.json = json;
    String path = exchange.getRequestURI().getRawPath().substring(root.length());
    List<String> segments = new ArrayList<>(Arrays.asList(path.split("/")));
    if (segments.getFirst().equals(prefix)) {
      segments.removeFirst();
    }
    // Every second segment is a name.
    for (int at = 1; at < segments.size(); at += 2) {
      if (!segments.getFirst().equals("namespaces")) {
        break;
      }
      names.add(decoded(segments.get(at)));
      segments.set(at, "{}");
    }
    this.shape = exchange.getRequestMethod() + " " + String.join("/", segments);
  }

  <T> T body(Class<T> type) throws IOException {
    return json.readValue(body, type);
  }

  Namespace namespace() {
    return parts(names.getFirst());
  }

  TableIdentifier table() {
    return TableIdentifier.of(namespace(), names.get(1));
  }

  /** The namespace whose children are asked for. */
  Namespace parent() {
    String parent = parameter("parent");
    return parent.isEmpty() ? Namespace.empty() : parts(parent);
  }

  boolean purges() {
    return parameter("purgeRequested").equalsIgnoreCase("true");
  }

  boolean wantsSession() {
    String asked = exchange.getRequestHeaders().getFirst("X-Iceberg-Access-Delegation");
    return asked != null && asked.contains("vended-credentials");
  }

  /** Empty if it is not there. */
  String parameter(String name) {
    String query = exchange.getRequestURI().getRawQuery();
    return query == null
        ? ""
        : Arrays.stream(query.split("&"))
            .filter(pair -> pair.startsWith(name + "="))
            .map(pair -> decoded(pair.substring(name.length() + 1)))
            .findFirst()
            .orElse("");
  }

  private static Namespace parts(String joined) {
    return Namespace.of(joined.split("\u001F"));
  }

  private static String decoded(String raw) {
    return URLDecoder.decode(raw, StandardCharsets.UTF_8);
  }
}
