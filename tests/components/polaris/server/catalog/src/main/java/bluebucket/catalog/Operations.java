package bluebucket.catalog;

import java.io.IOException;
import java.util.Map;
import org.apache.iceberg.catalog.Namespace;
import org.apache.iceberg.exceptions.NoSuchViewException;
import org.apache.iceberg.jdbc.JdbcCatalog;
import org.apache.iceberg.rest.CatalogHandlers;
import org.apache.iceberg.rest.requests.CommitTransactionRequest;
import org.apache.iceberg.rest.requests.CreateNamespaceRequest;
import org.apache.iceberg.rest.requests.CreateTableRequest;
import org.apache.iceberg.rest.requests.RegisterTableRequest;
import org.apache.iceberg.rest.requests.RenameTableRequest;
import org.apache.iceberg.rest.requests.UpdateNamespacePropertiesRequest;
import org.apache.iceberg.rest.requests.UpdateTableRequest;
import org.apache.iceberg.rest.responses.ConfigResponse;
import org.apache.iceberg.rest.responses.LoadTableResponse;

/** The operations of the protocol, done by Iceberg's own handlers. */
final class Operations {
  private final JdbcCatalog catalog;
  private final Vending vending;
  private final String prefix;

  Operations(JdbcCatalog catalog, Vending vending, String prefix) {
    this.catalog = catalog;
    this.vending = vending;
    this.prefix = prefix;
  }

  /** The answer; null if it has no body. */
  Object answer(Request request) throws IOException {
    return switch (request.shape) {
      case "GET config" -> ConfigResponse.builder().withOverride("prefix", prefix).build();
      case "POST oauth/tokens" -> Map.of("access_token", "tests", "token_type", "bearer", "expires_in", 36000);
      case "GET namespaces" -> CatalogHandlers.listNamespaces(catalog, request.parent());
      case "POST namespaces" -> CatalogHandlers.createNamespace(catalog, request.body(CreateNamespaceRequest.class));
      case "GET namespaces/{}", "HEAD namespaces/{}" -> CatalogHandlers.loadNamespace(catalog, request.namespace());
      case "DELETE namespaces/{}" -> {
        CatalogHandlers.dropNamespace(catalog, request.namespace());
        yield null;
      }
      case "POST namespaces/{}/properties" ->
          CatalogHandlers.updateNamespaceProperties(
              catalog, request.namespace(), request.body(UpdateNamespacePropertiesRequest.class));
      case "POST namespaces/{}/register" ->
          CatalogHandlers.registerTable(catalog, request.namespace(), request.body(RegisterTableRequest.class));
      case "GET namespaces/{}/tables" -> CatalogHandlers.listTables(catalog, request.namespace());
      case "POST namespaces/{}/tables" -> given(request, create(request.namespace(), request.body(CreateTableRequest.class)));
      case "GET namespaces/{}/tables/{}", "HEAD namespaces/{}/tables/{}" ->
          given(request, CatalogHandlers.loadTable(catalog, request.table()));
      case "POST namespaces/{}/tables/{}" ->
          given(request, CatalogHandlers.updateTable(catalog, request.table(), request.body(UpdateTableRequest.class)));
      case "DELETE namespaces/{}/tables/{}" -> drop(request);
      case "POST namespaces/{}/tables/{}/metrics" -> null;
      case "POST tables/rename" -> rename(request.body(RenameTableRequest.class));
      case "POST transactions/commit" -> commit(request.body(CommitTransactionRequest.class));
      case "GET namespaces/{}/views" -> Map.of("identifiers", new String[0]);
      case "GET namespaces/{}/views/{}", "HEAD namespaces/{}/views/{}" -> throw new NoSuchViewException("no views here");
      default -> throw new UnsupportedOperationException(request.shape);
    };
  }

  private LoadTableResponse create(Namespace namespace, CreateTableRequest asked) {
    return asked.stageCreate()
        ? CatalogHandlers.stageTableCreate(catalog, namespace, asked)
        : CatalogHandlers.createTable(catalog, namespace, asked);
  }

  private Object drop(Request request) {
    if (request.purges()) {
      CatalogHandlers.purgeTable(catalog, request.table());
    } else {
      CatalogHandlers.dropTable(catalog, request.table());
    }
    return null;
  }

  private Object rename(RenameTableRequest asked) {
    CatalogHandlers.renameTable(catalog, asked);
    return null;
  }

  private Object commit(CommitTransactionRequest asked) {
    asked.tableChanges().forEach(change -> CatalogHandlers.updateTable(catalog, change.identifier(), change));
    return null;
  }

  private LoadTableResponse given(Request request, LoadTableResponse loaded) {
    if (!request.wantsSession()) {
      return loaded;
    }
    return LoadTableResponse.builder()
        .withTableMetadata(loaded.tableMetadata())
        .addAllConfig(vending.give(loaded.tableMetadata().location()))
        .build();
  }
}
