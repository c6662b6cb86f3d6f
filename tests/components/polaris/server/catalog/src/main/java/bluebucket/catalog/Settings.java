package bluebucket.catalog;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** A catalog as it is made through Polaris' management API: the body of {@code POST /catalogs}. */
record Settings(String name, String warehouse, List<String> allowedLocations, JsonNode storage) {

  static Settings read(File file) throws IOException {
    JsonNode catalog = new ObjectMapper().readTree(file).required("catalog");
    JsonNode storage = catalog.required("storageConfigInfo");
    List<String> allowed = new ArrayList<>();
    storage.required("allowedLocations").forEach(location -> allowed.add(location.asText()));
    String warehouse = catalog.required("properties").required("default-base-location").asText();
    return new Settings(catalog.required("name").asText(), warehouse, allowed, storage);
  }

  /** A setting of the storage; null if it is left out. */
  String text(String name) {
    return storage.path(name).asText(null);
  }

  boolean flag(String name) {
    return storage.path(name).asBoolean(false);
  }

  /** Where the catalog itself finds the objects. */
  String endpoint() {
    return text("endpointInternal") != null ? text("endpointInternal") : text("endpoint");
  }

  /** Where it assumes roles, looked for in the order of Polaris. */
  String stsEndpoint() {
    return text("stsEndpoint") != null ? text("stsEndpoint") : endpoint();
  }
}
