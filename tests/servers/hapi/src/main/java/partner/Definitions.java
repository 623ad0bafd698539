package partner;

import ca.uhn.fhir.context.FhirContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;

/** The adapter's own definitions, as a partner loads them who validates: HAPI FHIR refuses a profile it does not know. */
final class Definitions {

    private static final List<String> KINDS = List.of("StructureDefinition-", "ValueSet-", "CodeSystem-");

    private Definitions() {}

    /** What the folder holds of StructureDefinitions, ValueSets and CodeSystems. */
    static PrePopulatedValidationSupport in(Path folder, FhirContext context) throws IOException {
        PrePopulatedValidationSupport found = new PrePopulatedValidationSupport(context);
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.filter(Definitions::isOne).sorted().toList()) {
                found.addResource(context.newJsonParser().parseResource(Files.readString(file)));
            }
        }
        return found;
    }

    private static boolean isOne(Path file) {
        return KINDS.stream().anyMatch(file.getFileName().toString()::startsWith);
    }
}
