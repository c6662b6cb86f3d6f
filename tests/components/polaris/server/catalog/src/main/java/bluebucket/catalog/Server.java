package bluebucket.catalog;

import com.fasterxml.jackson.annotation.JsonAutoDetect;
import com.fasterxml.jackson.annotation.PropertyAccessor;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.File;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import org.apache.iceberg.exceptions.AlreadyExistsException;
import org.apache.iceberg.exceptions.CommitFailedException;
import org.apache.iceberg.exceptions.ForbiddenException;
import org.apache.iceberg.exceptions.NamespaceNotEmptyException;
import org.apache.iceberg.exceptions.NoSuchNamespaceException;
import org.apache.iceberg.exceptions.NoSuchTableException;
import org.apache.iceberg.exceptions.NoSuchViewException;
import org.apache.iceberg.rest.RESTSerializers;
import org.apache.iceberg.rest.responses.ErrorResponse;

/**
 * An Iceberg REST catalog in the place of the Polaris server, whose generated API no registry has: the address and the
 * catalog are those of Polaris, tables are kept by Iceberg's handlers, sessions are given out by Polaris' code.
 *
 * <p>Arguments: the port on 127.0.0.1, the file of the database, and the catalog's JSON.
 */
public final class Server {
  private static final String ROOT = "/api/catalog/v1/";

  private final ObjectMapper json = mapper();
  private final Operations operations;
  private final String prefix;

  private Server(Settings settings, String database) {
    this.prefix = settings.name();
    this.operations = new Operations(Tables.open(settings, database), new Vending(settings), prefix);
  }

  public static void main(String[] arguments) throws IOException {
    Server server = new Server(Settings.read(new File(arguments[2])), arguments[1]);
    HttpServer listener = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 64);
    listener.setExecutor(Executors.newFixedThreadPool(8));
    listener.createContext(ROOT, server::serve);
    listener.start();
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      int status = 200;
      Object answer;
      try {
        answer = answer(new Request(exchange, ROOT, prefix, json));
      } catch (Exception error) {
        status = statusOf(error);
        answer = told(status, error);
      }
      boolean bodiless = answer == null || exchange.getRequestMethod().equals("HEAD");
      if (bodiless) {
        exchange.sendResponseHeaders(status == 200 ? 204 : status, -1);
        return;
      }
      byte[] body = json.writeValueAsBytes(answer);
      exchange.getResponseHeaders().add("Content-Type", "application/json");
      exchange.sendResponseHeaders(status, body.length);
      exchange.getResponseBody().write(body);
    }
  }

  /** SQLite tells a lost race by an error without a name: one writer at a time. */
  private Object answer(Request request) throws IOException {
    if (request.shape.startsWith("GET ") || request.shape.startsWith("HEAD ")) {
      return operations.answer(request);
    }
    synchronized (operations) {
      return operations.answer(request);
    }
  }

  private static int statusOf(Exception error) {
    return switch (error) {
      case NoSuchTableException e -> 404;
      case NoSuchNamespaceException e -> 404;
      case NoSuchViewException e -> 404;
      case AlreadyExistsException e -> 409;
      case CommitFailedException e -> 409;
      case NamespaceNotEmptyException e -> 409;
      case ForbiddenException e -> 403;
      case IllegalArgumentException e -> 400;
      case UnsupportedOperationException e -> 406;
      default -> {
        error.printStackTrace();
        yield 500;
      }
    };
  }

  private static ErrorResponse told(int status, Exception error) {
    return ErrorResponse.builder()
        .responseCode(status)
        .withType(error.getClass().getSimpleName())
        .withMessage(String.valueOf(error.getMessage()))
        .build();
  }

  private static ObjectMapper mapper() {
    ObjectMapper json = new ObjectMapper();
    json.configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);
    json.setVisibility(PropertyAccessor.FIELD, JsonAutoDetect.Visibility.ANY);
    json.setPropertyNamingStrategy(PropertyNamingStrategies.KebabCaseStrategy.INSTANCE);
    RESTSerializers.registerAll(json);
    return json;
  }
}
