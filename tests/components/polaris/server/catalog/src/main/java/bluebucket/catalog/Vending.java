package bluebucket.catalog;

import java.net.URI;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.iceberg.exceptions.ForbiddenException;
import org.apache.polaris.core.auth.PolarisPrincipal;
import org.apache.polaris.core.config.RealmConfigImpl;
import org.apache.polaris.core.storage.CredentialVendingContext;
import org.apache.polaris.core.storage.aws.AwsCredentialsStorageIntegration;
import org.apache.polaris.core.storage.aws.AwsStorageConfigurationInfo;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;

/** What is given out with a table, by Polaris' own code, unchanged. The pair is that of the environment. */
final class Vending {
  private static final String REALM = "tests";

  private final Settings settings;
  private final AwsCredentialsStorageIntegration integration;

  Vending(Settings settings) {
    this.settings = settings;
    this.integration = new AwsCredentialsStorageIntegration(storage(settings), sts(settings));
  }

  /** A session that reads and writes the folder, and where it is good; without STS the latter alone. */
  Map<String, String> give(String folder) {
    if (settings.allowedLocations().stream().noneMatch(folder::startsWith)) {
      throw new ForbiddenException("not an allowed location: %s", folder);
    }
    var realm = new RealmConfigImpl((context, name) -> null, () -> REALM);
    var principal = PolarisPrincipal.of(REALM, Map.of(), Set.of());
    var given =
        integration.getSubscopedCreds(
            realm, true, Set.of(folder), Set.of(folder), principal, Optional.empty(), CredentialVendingContext.empty());
    Map<String, String> properties = new HashMap<>(given.credentials());
    properties.putAll(given.extraProperties());
    return properties;
  }

  private static AwsStorageConfigurationInfo storage(Settings settings) {
    return AwsStorageConfigurationInfo.builder()
        .allowedLocations(settings.allowedLocations())
        .roleARN(settings.text("roleArn"))
        .externalId(settings.text("externalId"))
        .region(settings.text("region"))
        .endpoint(settings.text("endpoint"))
        .endpointInternal(settings.text("endpointInternal"))
        .stsEndpoint(settings.text("stsEndpoint"))
        .pathStyleAccess(settings.flag("pathStyleAccess"))
        .stsUnavailable(settings.flag("stsUnavailable"))
        .kmsUnavailable(settings.flag("kmsUnavailable"))
        .build();
  }

  private static StsClient sts(Settings settings) {
    return StsClient.builder()
        .endpointOverride(URI.create(settings.stsEndpoint()))
        .region(Region.of(settings.text("region")))
        .build();
  }
}
